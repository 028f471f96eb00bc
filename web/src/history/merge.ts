import type { Values } from "../live/columns";
import type { Gap, History } from "../protocol.generated";

/** A stretch of time on one axis: what a page draws. */
export interface Timeline {
  timesMs: number[];
  stepMs: number;
  series: Map<string, Values>;
  /** Lowest and highest reading of each step, where a step is more than one reading. */
  lowest: Map<string, Values>;
  highest: Map<string, Values>;
  /** Share of the readings that are there, for each time. */
  coverage: number[];
  gaps: Gap[];
}

export interface LiveSource {
  timesMs: readonly number[];
  series: ReadonlyMap<string, Values>;
}

const SECOND_MS = 1000;

export const EMPTY_TIMELINE: Timeline = {
  timesMs: [],
  stepMs: SECOND_MS,
  series: new Map(),
  lowest: new Map(),
  highest: new Map(),
  coverage: [],
  gaps: [],
};

/**
 * Joins stored history with the live stream on one grid without a seam.
 *
 * The last stored step may still be filling while the stream goes on, so it is taken from the stream as soon as the
 * stream covers all of it; before that the stored one stands. Later steps come from the stream alone.
 */
export function joinLive(history: History | null, live: LiveSource, fromMs: number, toMs: number): Timeline {
  const stepMs = Math.max(SECOND_MS, history?.step_ms ?? SECOND_MS);
  const stored = history?.times_unix_ms ?? [];
  const lastStored = stored[stored.length - 1];
  const firstLive = live.timesMs[0];
  let kept = stored.length;
  // Stored steps that lie wholly inside the stream are drawn from the stream: it is at least as complete.
  while (
    kept > 0 &&
    firstLive !== undefined &&
    (stored[kept - 1] ?? 0) >= firstLive &&
    !sparse(live, stored[kept - 1] ?? 0, stepMs)
  ) {
    kept -= 1;
  }
  const startsAt =
    kept > 0
      ? (stored[kept - 1] ?? 0) + stepMs
      : align((firstLive ?? fromMs) + early(stepMs), stepMs, lastStored);
  const timeline = fromHistory(history, kept, stepMs);
  appendLive(timeline, live, startsAt, stepMs, toMs);
  return cut(timeline, fromMs, toMs);
}

/** Whether the stream holds less than half of a step's seconds: then the store knows better. */
function sparse(live: LiveSource, startMs: number, stepMs: number): boolean {
  const from = rowAt(live, startMs, stepMs);
  const to = rowAt(live, startMs + stepMs, stepMs);
  return to - from < stepMs / SECOND_MS / 2;
}

function align(timeMs: number, stepMs: number, onGrid: number | undefined): number {
  const phase = onGrid === undefined ? 0 : onGrid % stepMs;
  return Math.floor((timeMs - phase) / stepMs) * stepMs + phase;
}

function fromHistory(history: History | null, kept: number, stepMs: number): Timeline {
  const timeline: Timeline = {
    timesMs: (history?.times_unix_ms ?? []).slice(0, kept),
    stepMs,
    series: new Map(),
    lowest: new Map(),
    highest: new Map(),
    coverage: (history?.coverage ?? []).slice(0, kept),
    gaps: history?.gaps ?? [],
  };
  for (const column of history?.columns ?? []) {
    timeline.series.set(column.series, column.mean.slice(0, kept));
    timeline.lowest.set(column.series, column.min.slice(0, kept));
    timeline.highest.set(column.series, column.max.slice(0, kept));
  }
  return timeline;
}

function appendLive(
  timeline: Timeline,
  live: LiveSource,
  startsAt: number,
  stepMs: number,
  toMs: number,
): void {
  // A window of the past ends before the stream does.
  const newest = Math.min(live.timesMs[live.timesMs.length - 1] ?? Number.NEGATIVE_INFINITY, toMs);
  if (newest < (live.timesMs[0] ?? 0) || newest + early(stepMs) < startsAt) return;
  const steps = Math.floor((newest + early(stepMs) - startsAt) / stepMs) + 1;
  const base = timeline.timesMs.length;
  const bounds = new Int32Array(steps + 1);
  for (let index = 0; index <= steps; index += 1) {
    bounds[index] = rowAt(live, startsAt + index * stepMs, stepMs);
  }
  for (let index = 0; index < steps; index += 1) {
    const start = startsAt + index * stepMs;
    const expected = Math.floor(Math.min(stepMs, newest + early(stepMs) + 1 - start) / SECOND_MS);
    timeline.timesMs.push(start);
    const there = readings(live, bounds[index] ?? 0, bounds[index + 1] ?? 0);
    timeline.coverage.push(Math.min(1, there / Math.max(1, expected)));
  }
  for (const name of new Set([...timeline.series.keys(), ...live.series.keys()])) {
    const source = live.series.get(name);
    const mean = padded(timeline.series, name, base);
    const low = padded(timeline.lowest, name, base);
    const high = padded(timeline.highest, name, base);
    for (let index = 0; index < steps; index += 1) {
      const step = source ? reduce(source, bounds[index] ?? 0, bounds[index + 1] ?? 0) : null;
      mean.push(step?.mean ?? null);
      low.push(step?.low ?? null);
      high.push(step?.high ?? null);
    }
  }
}

/** Readings are taken on the second, give or take: at steps of one second the nearest second owns them. */
const early = (stepMs: number): number => (stepMs === SECOND_MS ? SECOND_MS / 2 : 0);

const rowAt = (live: LiveSource, startMs: number, stepMs: number): number =>
  lowerBound(live.timesMs, startMs - early(stepMs));

function padded(columns: Map<string, Values>, name: string, length: number): Values {
  let values = columns.get(name);
  if (!values) {
    values = new Array<number | null>(length).fill(null);
    columns.set(name, values);
  }
  return values;
}

/** Rows of the stream that hold a reading; a row that marks a hole does not. */
function readings(live: LiveSource, from: number, to: number): number {
  const probe = live.series.get("cpu_used_percent") ?? live.series.values().next().value;
  if (!probe) return 0;
  let count = 0;
  for (let index = from; index < to; index += 1) if (probe[index] != null) count += 1;
  return count;
}

function reduce(values: Values, from: number, to: number) {
  let sum = 0;
  let count = 0;
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let index = from; index < to; index += 1) {
    const value = values[index];
    if (value == null) continue;
    sum += value;
    count += 1;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return count === 0 ? null : { mean: sum / count, low, high };
}

/** Leaves out what lies outside the window; a step that reaches into it stays. */
function cut(timeline: Timeline, fromMs: number, toMs: number): Timeline {
  const from = lowerBound(timeline.timesMs, fromMs - timeline.stepMs + 1);
  const to = lowerBound(timeline.timesMs, toMs + 1);
  const trim = (columns: Map<string, Values>) =>
    new Map([...columns].map(([name, values]) => [name, values.slice(from, to)] as const));
  return {
    ...timeline,
    timesMs: timeline.timesMs.slice(from, to),
    coverage: timeline.coverage.slice(from, to),
    series: trim(timeline.series),
    lowest: trim(timeline.lowest),
    highest: trim(timeline.highest),
    gaps: timeline.gaps.filter((gap) => gap.to_unix_ms > fromMs && gap.from_unix_ms < toMs),
  };
}

/** Index of the first time that is not before `timeMs`; times ascend. */
export function lowerBound(times: readonly number[], timeMs: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] ?? 0) < timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}
