"""The Python client against a real server: its samples become durable, and a viewer sees them live."""

import asyncio
import json
import os
import pathlib
import subprocess
import sys
import unittest
import urllib.request

import websockets

CLIENT = pathlib.Path(__file__).with_name("client.py")
# Long enough for a busy machine; nothing waits for its end when all is well.
DEADLINE_SECONDS = 60


def call(base, method, path, body=None, token=None):
    headers = {"Content-Type": "application/json", "Origin": base}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(base + path, data=data, method=method, headers=headers)
    with urllib.request.urlopen(request, timeout=DEADLINE_SECONDS) as answer:
        return json.loads(answer.read() or b"null")


class PythonClient(unittest.IsolatedAsyncioTestCase):
    def setUp(self):
        self.server = subprocess.Popen(
            [os.environ["SOCKET_SERVER"], "serve", "--listen", "127.0.0.1:0", "--store", "memory"],
            stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.end, self.server)
        self.base = self.line("listening on ").split()[-1]
        setup = self.line("/setup#").split("#")[-1]
        account = call(self.base, "POST", "/api/v1/setup",
                       {"token": setup, "name": "ada", "password": "correct horse battery"})
        self.token = account["access_token"]
        self.key = call(self.base, "POST", "/api/v1/keys", {"label": "python"}, self.token)["key"]

    def line(self, wanted):
        for line in self.server.stdout:
            if wanted in line:
                return line.strip()
        raise AssertionError(f"the server ended without saying {wanted!r}")

    @staticmethod
    def end(process):
        process.terminate()
        process.wait(timeout=DEADLINE_SECONDS)
        process.stdout.close()

    def start_client(self, key):
        client = subprocess.Popen(
            [sys.executable, str(CLIENT), self.base], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={**os.environ, "METRIC_FLOW_API_KEY": key})
        self.addCleanup(self.end, client)
        return client

    async def test_samples_become_durable_and_a_viewer_sees_them(self):
        client = self.start_client(self.key)
        host_id = client.stdout.readline().split()[-1]
        self.assertEqual(client.stdout.readline().split()[:2], ["durable", "1"])
        ticket = call(self.base, "POST", "/api/v1/live/ticket", token=self.token)["ticket"]
        address = self.base.replace("http", "ws", 1) + f"/api/v1/live?ticket={ticket}"
        async with websockets.connect(address, origin=self.base, subprotocols=["metric-flow.live.v1"]) as live:
            row = await asyncio.wait_for(self.row_of(live, host_id), DEADLINE_SECONDS)
        self.assertGreater(row["memory_used_bytes"], 0)
        self.assertGreaterEqual(row["cpu_used_percent"], 0)
        hosts = call(self.base, "GET", "/api/v1/hosts", token=self.token)["hosts"]
        self.assertEqual([(host["id"], host["labels"], host["online"]) for host in hosts],
                         [(host_id, {"client": "python"}, True)])

    async def row_of(self, live, host_id):
        while True:
            message = json.loads(await live.recv())
            for row in message.get("rows", []):
                if row["id"] == host_id:
                    return row

    async def test_a_wrong_key_is_refused_before_the_socket_opens(self):
        client = self.start_client("mf_wrong")
        said, _ = client.communicate(timeout=DEADLINE_SECONDS)
        self.assertNotEqual(client.returncode, 0)
        self.assertIn("401", said)


if __name__ == "__main__":
    unittest.main()
