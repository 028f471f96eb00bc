import type { ChartSpec, Unit } from "../charts/specs";
import type { Values } from "../live/columns";
import { lowerBound, type Timeline } from "./merge";

export interface ComparedHost {
  id: string;
  name: string;
  timeline: Timeline;
}

const COMPARED: [series: string, title: string, unit: Unit, top?: number][] = [
  ["cpu_used_percent", "CPU used", "percent", 100],
  ["memory_used_percent", "Memory used", "percent", 100],
  ["interface_received_bytes_per_second", "Network in", "rate"],
  ["interface_sent_bytes_per_second", "Network out", "rate"],
  ["disk_read_bytes_per_second", "Disks, read", "rate"],
  ["disk_written_bytes_per_second", "Disks, written", "rate"],
  ["load_one_minute", "Load, 1 min", "number"],
  ["pressure_cpu_some_percent", "CPU pressure", "percent"],
  ["pressure_io_some_percent", "IO pressure", "percent"],
];

const columnName = (series: string, id: string): string => `${series}@${id}`;

/** One chart for each series that any host has, one line for each host. */
export function compareCharts(hosts: readonly ComparedHost[]): ChartSpec[] {
  const charts = COMPARED.map(
    ([series, title, unit, top]): ChartSpec => ({
      id: series,
      title,
      unit,
      lines: hosts
        .filter((host) => host.timeline.series.has(series))
        .map((host) => ({ series: columnName(series, host.id), label: host.name })),
      ...(top === undefined ? {} : { top }),
    }),
  );
  return charts.filter((chart) => chart.lines.length > 0);
}

/** Puts hosts on one time axis: a grid of the coarsest step, each host in the step that holds its reading. */
export function mergeHosts(hosts: readonly ComparedHost[]): Timeline {
  const stepMs = Math.max(1000, ...hosts.map((host) => host.timeline.stepMs));
  const slots = new Set<number>();
  for (const { timeline } of hosts) for (const time of timeline.timesMs) slots.add(Math.round(time / stepMs));
  const timesMs = [...slots].sort((a, b) => a - b).map((slot) => slot * stepMs);
  const series = new Map<string, Values>();
  const covered = new Array<number>(timesMs.length).fill(1);
  for (const { id, timeline } of hosts) {
    const rows = timeline.timesMs.map((time) => lowerBound(timesMs, Math.round(time / stepMs) * stepMs));
    rows.forEach((row, at) => {
      covered[row] = Math.min(covered[row] ?? 1, timeline.coverage[at] ?? 1);
    });
    for (const [name] of COMPARED) {
      const source = timeline.series.get(name);
      if (!source) continue;
      const values = new Array<number | null>(timesMs.length).fill(null);
      rows.forEach((row, at) => {
        values[row] = source[at] ?? null;
      });
      series.set(columnName(name, id), values);
    }
  }
  return {
    timesMs,
    stepMs,
    series,
    lowest: new Map(),
    highest: new Map(),
    coverage: covered,
    gaps: hosts.flatMap((host) => host.timeline.gaps),
  };
}
