import type { FleetAggregate, FleetHistory } from "../api/types";
import { type ChartSpec, PALETTE_LINES, type Unit } from "../charts/specs";
import type { Values } from "../live/columns";
import { EMPTY_TIMELINE, type Timeline } from "./merge";

/** What the fleet's past is made of: one question to the server each. */
export interface FleetPart {
  series: string;
  aggregate: FleetAggregate;
}

const part = (series: string, aggregate: FleetAggregate): FleetPart => ({ series, aggregate });
const CPU_MEAN = part("cpu_used_percent", "mean");
const CPU_P95 = part("cpu_used_percent", "p95");
const CPU_MAX = part("cpu_used_percent", "max");
const MEMORY_USED = part("memory_used_bytes", "sum");
const MEMORY_TOTAL = part("memory_total_bytes", "sum");
const RECEIVED = part("interface_received_bytes_per_second:*", "sum");
const SENT = part("interface_sent_bytes_per_second:*", "sum");

export const FLEET_PARTS: readonly FleetPart[] = [
  CPU_MEAN,
  CPU_P95,
  CPU_MAX,
  MEMORY_USED,
  MEMORY_TOTAL,
  RECEIVED,
  SENT,
];

/** Charts of the whole fleet: several parts in one. */
const WHOLE: { id: string; title: string; unit: Unit; top?: number; lines: [FleetPart, string][] }[] = [
  {
    id: "fleet-cpu",
    title: "CPU used",
    unit: "percent",
    top: 100,
    lines: [
      [CPU_MEAN, "mean"],
      [CPU_P95, "95 % of hosts below"],
      [CPU_MAX, "highest"],
    ],
  },
  {
    id: "fleet-memory",
    title: "Memory, all hosts",
    unit: "bytes",
    lines: [
      [MEMORY_USED, "used"],
      [MEMORY_TOTAL, "total"],
    ],
  },
  {
    id: "fleet-network",
    title: "Network, all hosts",
    unit: "rate",
    lines: [
      [RECEIVED, "in"],
      [SENT, "out"],
    ],
  },
];

/** Charts by a label: one part each, a line for each value. */
const BY_LABEL: { id: string; title: string; unit: Unit; top?: number; part: FleetPart }[] = [
  { id: "fleet-cpu", title: "CPU used, mean", unit: "percent", top: 100, part: CPU_MEAN },
  { id: "fleet-cpu-p95", title: "CPU used, 95 % of hosts below", unit: "percent", top: 100, part: CPU_P95 },
  { id: "fleet-cpu-max", title: "CPU used, highest", unit: "percent", top: 100, part: CPU_MAX },
  { id: "fleet-memory", title: "Memory used, sum", unit: "bytes", part: MEMORY_USED },
  { id: "fleet-received", title: "Network in, sum", unit: "rate", part: RECEIVED },
  { id: "fleet-sent", title: "Network out, sum", unit: "rate", part: SENT },
];

const columnName = ({ series, aggregate }: FleetPart, label: string): string =>
  `${aggregate} ${series} ${label}`;

/** Answers on one time axis: all were asked for the same stretch, so that their steps are the same. */
export function fleetTimeline(answers: readonly FleetHistory[]): Timeline {
  const longest = answers.reduce<FleetHistory | null>(
    (best, answer) => (answer.times_unix_ms.length > (best?.times_unix_ms.length ?? 0) ? answer : best),
    null,
  );
  if (!longest) return EMPTY_TIMELINE;
  const places = new Map(longest.times_unix_ms.map((time, place) => [time, place]));
  const series = new Map<string, Values>();
  for (const answer of answers) {
    for (const group of answer.groups) {
      const values = new Array<number | null>(longest.times_unix_ms.length).fill(null);
      answer.times_unix_ms.forEach((time, at) => {
        const place = places.get(time);
        if (place !== undefined) values[place] = group.values[at] ?? null;
      });
      series.set(columnName(answer, group.label), values);
    }
  }
  return { ...EMPTY_TIMELINE, timesMs: longest.times_unix_ms, stepMs: longest.step_ms, series };
}

/** Charts of what the answers hold: of the whole fleet, or by the values of a label. */
export function fleetCharts(answers: readonly FleetHistory[], by: string): ChartSpec[] {
  const groupsOf = (wanted: FleetPart) =>
    answers.find(({ series, aggregate }) => series === wanted.series && aggregate === wanted.aggregate)
      ?.groups ?? [];
  const top = (limit: number | undefined) => (limit === undefined ? {} : { top: limit });
  const charts = by
    ? BY_LABEL.map(
        (chart): ChartSpec => ({
          id: chart.id,
          title: `${chart.title}, by ${by}`,
          unit: chart.unit,
          // The labels with the most hosts: more lines than colours cannot be told apart.
          lines: [...groupsOf(chart.part)]
            .sort((a, b) => b.hosts - a.hosts || a.label.localeCompare(b.label, "en", { numeric: true }))
            .slice(0, PALETTE_LINES)
            .map(({ label }) => ({ series: columnName(chart.part, label), label: label || `without ${by}` })),
          ...top(chart.top),
        }),
      )
    : WHOLE.map(
        (chart): ChartSpec => ({
          id: chart.id,
          title: chart.title,
          unit: chart.unit,
          lines: chart.lines
            .filter(([wanted]) => groupsOf(wanted).length > 0)
            .map(([wanted, label]) => ({
              series: columnName(wanted, ""),
              label,
              dashed: wanted === MEMORY_TOTAL,
            })),
          ...top(chart.top),
        }),
      );
  return charts.filter((chart) => chart.lines.length > 0);
}
