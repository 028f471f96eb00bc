#!/usr/bin/env python3
"""A node-client in few lines, written from docs/protocol.md alone: sends CPU and memory once a second.

    METRIC_FLOW_API_KEY=mf_… python3 client.py http://127.0.0.1:8000
"""

import asyncio
import json
import os
import secrets
import socket
import sys
import time

import websockets


def cpu_times():
    """Busy and total jiffies since boot, from proc_stat(5)."""
    with open("/proc/stat", encoding="ascii") as stat:
        fields = [int(field) for field in stat.readline().split()[1:9]]
    idle = fields[3] + fields[4]
    return sum(fields) - idle, sum(fields)


def memory_bytes():
    """Total and available memory, from proc_meminfo(5)."""
    with open("/proc/meminfo", encoding="ascii") as meminfo:
        kib = {line.split(":")[0]: int(line.split()[1]) for line in meminfo}
    return kib["MemTotal"] * 1024, kib["MemAvailable"] * 1024


def now_ms():
    return time.time_ns() // 1_000_000


async def send_samples(server, api_key):
    epoch = secrets.token_hex(8)
    total, _ = memory_bytes()
    async with websockets.connect(
        server.replace("http", "ws", 1) + "/api/v1/node",
        additional_headers={"Authorization": f"Bearer {api_key}"},
        subprotocols=["metric-flow.node.v1+json"],
        max_size=65_536,
    ) as connection:
        facts = {"host_name": socket.gethostname(), "cpu_cores": os.cpu_count(), "memory_total_bytes": total,
                 "client_version": "python"}
        await connection.send(json.dumps({"hello": {
            "protocol_major": 1, "machine_identity": f"python-{socket.gethostname()}", "epoch": epoch,
            "facts": facts, "labels": [{"name": "client", "value": "python"}], "sent_unix_ms": now_ms()}}))
        print("host id", json.loads(await connection.recv())["hello_ack"]["host_id"], flush=True)
        busy_before, all_before = cpu_times()
        for seq in range(1, sys.maxsize):
            await asyncio.sleep(1 - time.time() % 1)
            busy, every = cpu_times()
            total, available = memory_bytes()
            sample = {"seq": seq, "time_unix_ms": now_ms(),
                      "cpu": {"used_percent": 100 * (busy - busy_before) / max(every - all_before, 1)},
                      "memory": {"total_bytes": total, "used_bytes": total - available,
                                 "available_bytes": available}}
            busy_before, all_before = busy, every
            await connection.send(json.dumps({"batch": {"epoch": epoch, "samples": [sample],
                                                        "sent_unix_ms": now_ms()}}))
            while True:
                message = json.loads(await connection.recv())
                if "ack" in message and message["ack"]["seq"] >= seq:
                    print("durable", message["ack"]["seq"], flush=True)
                    break


if __name__ == "__main__":
    try:
        asyncio.run(send_samples(sys.argv[1], os.environ["METRIC_FLOW_API_KEY"]))
    except KeyboardInterrupt:
        pass
    except (IndexError, KeyError):
        sys.exit(__doc__)
