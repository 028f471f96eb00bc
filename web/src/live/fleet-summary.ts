import type { HostEntry } from "./fleet-store";

export interface FleetTotals {
  up: number;
  down: number;
  cores: number;
  /** Of all cores of the hosts that are up, 0 to 100; null when none reports. */
  cpuUsedPercent: number | null;
  /** Cores kept busy. */
  busyCores: number;
  memoryUsedBytes: number;
  memoryTotalBytes: number;
  receivedBytesPerSecond: number;
  sentBytesPerSecond: number;
}

/** Adds up the hosts that are up: an old number of a lost host is no part of what the fleet does now. */
export function totals(hosts: Iterable<HostEntry>): FleetTotals {
  const sum: FleetTotals = {
    up: 0,
    down: 0,
    cores: 0,
    cpuUsedPercent: null,
    busyCores: 0,
    memoryUsedBytes: 0,
    memoryTotalBytes: 0,
    receivedBytesPerSecond: 0,
    sentBytesPerSecond: 0,
  };
  let reportingCores = 0;
  for (const { summary, row } of hosts) {
    if (!summary.online) {
      sum.down += 1;
      continue;
    }
    sum.up += 1;
    const cores = summary.facts?.cpu_cores ?? 0;
    sum.cores += cores;
    if (!row) continue;
    reportingCores += cores;
    sum.busyCores += (cores * row.cpu_used_percent) / 100;
    sum.memoryUsedBytes += row.memory_used_bytes;
    sum.memoryTotalBytes += row.memory_total_bytes;
    sum.receivedBytesPerSecond += row.received_bytes_per_second;
    sum.sentBytesPerSecond += row.sent_bytes_per_second;
  }
  if (reportingCores > 0) sum.cpuUsedPercent = (100 * sum.busyCores) / reportingCores;
  return sum;
}
