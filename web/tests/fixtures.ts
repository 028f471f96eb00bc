import type { HostRow, HostSummary, Sample } from "../src/protocol.generated";

export function row(id: string, change: Partial<HostRow> = {}): HostRow {
  return {
    id,
    time_unix_ms: 0,
    cpu_used_percent: 0,
    memory_used_bytes: 0,
    memory_total_bytes: 0,
    received_bytes_per_second: 0,
    sent_bytes_per_second: 0,
    load_one_minute: 0,
    ...change,
  };
}

export function host(id: string, change: Partial<HostSummary> = {}): HostSummary {
  return {
    id,
    name: id,
    labels: {},
    online: true,
    last_seen_unix_ms: 0,
    clock_offset_ms: 0,
    cloned_identity: false,
    facts: null,
    latest: null,
    ...change,
  };
}

export function withCores(id: string, cores: number, change: Partial<HostSummary> = {}): HostSummary {
  return host(id, {
    facts: {
      host_name: id,
      os: "Rocky Linux 9",
      kernel: "5.14",
      architecture: "x86_64",
      cpu_model: "EPYC",
      cpu_cores: cores,
      cpu_clock_max_mhz: null,
      memory_total_bytes: 0,
      boot_unix_ms: 0,
      mac_addresses: [],
      ip_addresses: ["10.0.0.7"],
      client_version: "0.1.0",
    },
    ...change,
  });
}

export function sample(seq: number, timeMs: number, change: Partial<Sample> = {}): Sample {
  return {
    seq,
    time_unix_ms: timeMs,
    cpu: {
      used_percent: seq,
      user_percent: 0,
      system_percent: 0,
      iowait_percent: 0,
      steal_percent: 0,
      core_used_percent: [],
      clock_mhz: null,
      clock_max_mhz: null,
    },
    load: null,
    memory: null,
    file_systems: [],
    disks: [],
    interfaces: [],
    temperatures: [],
    pressure: null,
    processes: null,
    uptime_seconds: null,
    ...change,
  };
}

/** A disk with `read` bytes read since boot. */
export function disk(name: string, read: number): Sample["disks"][number] {
  return {
    name,
    read_bytes_total: read,
    written_bytes_total: 0,
    read_operations_total: 0,
    write_operations_total: 0,
  };
}
