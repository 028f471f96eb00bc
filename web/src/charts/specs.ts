import { formatBytes, formatCelsius, formatNumber, formatPercent, formatRate } from "../format";
import type { Values } from "../live/columns";

export type Unit = "percent" | "bytes" | "rate" | "number" | "operations" | "celsius";

export interface LineSpec {
  series: string;
  label: string;
  dashed?: boolean;
  /** Draws the lowest to the highest reading of each step behind the line. */
  band?: boolean;
  filled?: boolean;
}

export interface ChartSpec {
  id: string;
  title: string;
  unit: Unit;
  lines: LineSpec[];
  /** The axis ends here at least. */
  top?: number;
}

export const FORMAT: Record<Unit, (value: number | null | undefined) => string> = {
  percent: formatPercent,
  bytes: formatBytes,
  rate: formatRate,
  number: formatNumber,
  operations: (value) => (value == null ? formatNumber(value) : `${formatNumber(value)}/s`),
  celsius: formatCelsius,
};

/** Lines that have a colour of their own. */
export const PALETTE_LINES = 8;

/** A chart of one line for each disk or interface shows the busiest ones only. */
const INSTANCES_MAX = 6;

/** Charts of a host, from the series that it has; a chart without series is left out. */
export function hostCharts(series: ReadonlyMap<string, Values>): ChartSpec[] {
  const has = (name: string) => series.has(name);
  const fixed = (id: string, title: string, unit: Unit, lines: LineSpec[], top?: number): ChartSpec => ({
    id,
    title,
    unit,
    lines: lines.filter((line) => has(line.series)),
    ...(top === undefined ? {} : { top }),
  });
  const each = (names: string[], make: (name: string) => LineSpec[]) => names.flatMap(make);
  const links = busiest(series, "interface_received_bytes_per_second");
  const disks = busiest(series, "disk_read_bytes_per_second", "disk_written_bytes_per_second");
  const charts = [
    fixed(
      "cpu",
      "CPU",
      "percent",
      [{ series: "cpu_used_percent", label: "used", band: true, filled: true }],
      100,
    ),
    fixed("modes", "CPU by mode", "percent", [
      { series: "cpu_user_percent", label: "user" },
      { series: "cpu_system_percent", label: "system" },
      { series: "cpu_iowait_percent", label: "waiting for IO" },
      { series: "cpu_steal_percent", label: "stolen" },
    ]),
    fixed("memory", "Memory", "bytes", [
      { series: "memory_used_bytes", label: "used", band: true, filled: true },
      { series: "memory_cached_bytes", label: "cached" },
      { series: "swap_used_bytes", label: "swap used" },
      { series: "memory_total_bytes", label: "total", dashed: true },
    ]),
    fixed(
      "network",
      "Network",
      "rate",
      each(links, (name) => [
        { series: `interface_received_bytes_per_second:${name}`, label: `${name} in` },
        { series: `interface_sent_bytes_per_second:${name}`, label: `${name} out`, dashed: true },
      ]),
    ),
    fixed(
      "disks",
      "Disks",
      "rate",
      each(disks, (name) => [
        { series: `disk_read_bytes_per_second:${name}`, label: `${name} read` },
        { series: `disk_written_bytes_per_second:${name}`, label: `${name} written`, dashed: true },
      ]),
    ),
    fixed(
      "operations",
      "Disk operations",
      "operations",
      each(disks, (name) => [
        { series: `disk_read_operations_per_second:${name}`, label: `${name} reads` },
        { series: `disk_write_operations_per_second:${name}`, label: `${name} writes`, dashed: true },
      ]),
    ),
    fixed(
      "file-systems",
      "File systems",
      "percent",
      instances(series, "file_system_used_percent")
        .slice(0, 8)
        .map((name) => ({ series: `file_system_used_percent:${name}`, label: name })),
      100,
    ),
    fixed("load", "Load", "number", [
      { series: "load_one_minute", label: "1 min" },
      { series: "load_five_minutes", label: "5 min" },
      { series: "load_fifteen_minutes", label: "15 min" },
    ]),
    fixed("pressure", "Pressure", "percent", [
      { series: "pressure_cpu_some_percent", label: "CPU, some" },
      { series: "pressure_memory_some_percent", label: "memory, some" },
      { series: "pressure_memory_full_percent", label: "memory, full" },
      { series: "pressure_io_some_percent", label: "IO, some" },
      { series: "pressure_io_full_percent", label: "IO, full" },
    ]),
    fixed(
      "temperature",
      "Temperature",
      "celsius",
      instances(series, "temperature_celsius")
        .slice(0, 8)
        .map((name) => ({ series: `temperature_celsius:${name}`, label: name })),
    ),
    fixed("processes", "Processes", "number", [
      { series: "processes_total", label: "all" },
      { series: "processes_running", label: "running" },
    ]),
  ];
  return charts.filter((chart) => chart.lines.length > 0);
}

/** What comes after the colon, in order, for each series of a kind. */
export function instances(series: ReadonlyMap<string, Values>, kind: string): string[] {
  const names = [...series.keys()].filter((name) => name.startsWith(`${kind}:`));
  const order = new Intl.Collator("en", { numeric: true });
  return names.map((name) => name.slice(kind.length + 1)).sort(order.compare);
}

function busiest(series: ReadonlyMap<string, Values>, ...kinds: string[]): string[] {
  const [first = ""] = kinds;
  const all = instances(series, first);
  if (all.length <= INSTANCES_MAX) return all;
  const peak = (name: string) =>
    Math.max(...kinds.flatMap((kind) => (series.get(`${kind}:${name}`) ?? []).map((value) => value ?? 0)), 0);
  return all
    .map((name) => ({ name, peak: peak(name) }))
    .sort((a, b) => b.peak - a.peak)
    .slice(0, INSTANCES_MAX)
    .map(({ name }) => name);
}

/** Adds series that are shown but not stored: shares of a file system and of memory. */
export function deriveSeries(series: Map<string, Values>): void {
  share(series, "memory_used_bytes", "memory_total_bytes", "memory_used_percent");
  for (const mount of instances(series, "file_system_used_bytes")) {
    share(
      series,
      `file_system_used_bytes:${mount}`,
      `file_system_total_bytes:${mount}`,
      `file_system_used_percent:${mount}`,
    );
  }
  for (const kind of [
    "interface_received_bytes",
    "interface_sent_bytes",
    "disk_read_bytes",
    "disk_written_bytes",
  ]) {
    sum(series, `${kind}_per_second`);
  }
}

function share(series: Map<string, Values>, part: string, whole: string, into: string): void {
  const parts = series.get(part);
  const wholes = series.get(whole);
  if (!parts || !wholes) return;
  series.set(
    into,
    parts.map((value, index) => {
      const total = wholes[index];
      return value == null || total == null || total === 0 ? null : (100 * value) / total;
    }),
  );
}

/** All instances of a kind together, under the kind's own name. */
function sum(series: Map<string, Values>, kind: string): void {
  const columns = instances(series, kind).map((name) => series.get(`${kind}:${name}`) ?? []);
  const [first] = columns;
  if (!first) return;
  series.set(
    kind,
    first.map((_, index) => {
      let total: number | null = null;
      for (const column of columns) {
        const value = column[index];
        if (value != null) total = (total ?? 0) + value;
      }
      return total;
    }),
  );
}
