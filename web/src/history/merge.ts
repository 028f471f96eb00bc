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
 * From the stream's first reading on, each step comes from whichever of the two holds more of it: the stream is ahead
 * of the store, and the store has what the stream missed.
 */
export function joinLive(history: History | null, live: LiveSource, fromMs: number, toMs: number): Timeline {
  const stepMs = Math.max(SECOND_MS, history?.step_ms ?? SECOND_MS);
  const timeline = fromHistory(history, stepMs);
  const stored = timeline.timesMs;
  const [firstLive] = live.timesMs;
  // A window of the past ends before the stream does.
  const lastLive = Math.min(live.timesMs[live.timesMs.length - 1] ?? Number.NEGATIVE_INFINITY, toMs);
  if (firstLive !== undefined && lastLive >= firstLive) {
    const [origin] = stored;
    if (origin === undefined) stored.push(Math.floor((firstLive + early(stepMs)) / stepMs) * stepMs);
    extend(timeline, lastLive + early(stepMs));
    overlay(timeline, live, lastLive);
  }
  return cut(timeline, fromMs, toMs);
}

/** A grid of more steps than this is drawn as it came: no screen shows so many. */
const STEPS_MAX = 20_000;

/** The stored columns on a grid without holes: a step that the store left out becomes an empty one. */
function fromHistory(history: History | null, stepMs: number): Timeline {
  const timeline: Timeline = {
    ...EMPTY_TIMELINE,
    stepMs,
    timesMs: [],
    coverage: [],
    gaps: history?.gaps ?? [],
  };
  timeline.series = new Map();
  timeline.lowest = new Map();
  timeline.highest = new Map();
  if (!history) return timeline;
  const times = history.times_unix_ms;
  const [first] = times;
  const last = times[times.length - 1];
  if (first === undefined || last === undefined) return timeline;
  const steps = Math.round((last - first) / stepMs) + 1;
  const regular = steps === times.length || steps > STEPS_MAX;
  const place = <T>(values: readonly T[], empty: T): T[] => {
    if (regular) return [...values];
    const placed = new Array<T>(steps).fill(empty);
    times.forEach((time, index) => {
      const value = values[index];
      if (value !== undefined) placed[Math.round((time - first) / stepMs)] = value;
    });
    return placed;
  };
  timeline.timesMs = regular
    ? [...times]
    : Array.from({ length: steps }, (_, index) => first + index * stepMs);
  timeline.coverage = place(history.coverage, 0);
  for (const column of history.columns) {
    timeline.series.set(column.series, place(column.mean, null));
    timeline.lowest.set(column.series, place(column.min, null));
    timeline.highest.set(column.series, place(column.max, null));
  }
  return timeline;
}

/** Adds empty steps until the grid reaches `toMs`. */
function extend({ timesMs, coverage, stepMs }: Timeline, toMs: number): void {
  let last = timesMs[timesMs.length - 1] ?? toMs;
  while (last + stepMs <= toMs && timesMs.length < STEPS_MAX) {
    last += stepMs;
    timesMs.push(last);
  }
  while (coverage.length < timesMs.length) coverage.push(0);
}

/** Writes the stream over the steps that it holds more of than the store. */
function overlay(timeline: Timeline, live: LiveSource, lastLive: number): void {
  const { timesMs, stepMs, coverage } = timeline;
  const begin = lowerBound(timesMs, (live.timesMs[0] ?? 0) - stepMs + 1 - early(stepMs));
  const steps: { row: number; from: number; to: number }[] = [];
  for (let row = begin; row < timesMs.length; row += 1) {
    const start = timesMs[row] ?? 0;
    const from = lowerBound(live.timesMs, start - early(stepMs));
    const to = lowerBound(live.timesMs, start + stepMs - early(stepMs));
    const there = readings(live, from, to);
    if (there === 0) continue;
    // The newest step is still filling: it is whole if nothing is missing so far.
    const expected = Math.floor(Math.min(stepMs, lastLive + early(stepMs) + 1 - start) / SECOND_MS);
    const share = Math.min(1, there / Math.max(1, expected));
    if (share < (coverage[row] ?? 0)) continue;
    coverage[row] = share;
    steps.push({ row, from, to });
  }
  for (const name of new Set([...timeline.series.keys(), ...live.series.keys()])) {
    const source = live.series.get(name);
    const mean = padded(timeline.series, name, timesMs.length);
    const low = padded(timeline.lowest, name, timesMs.length);
    const high = padded(timeline.highest, name, timesMs.length);
    if (!source) continue;
    for (const { row, from, to } of steps) {
      const step = reduce(source, from, to);
      mean[row] = step?.mean ?? null;
      low[row] = step?.low ?? null;
      high[row] = step?.high ?? null;
    }
  }
}

/** Readings are taken on the second, give or take: at steps of one second the nearest second owns them. */
const early = (stepMs: number): number => (stepMs === SECOND_MS ? SECOND_MS / 2 : 0);

/** The column of a series, made as long as the grid. */
function padded(columns: Map<string, Values>, name: string, length: number): Values {
  const values = columns.get(name) ?? [];
  while (values.length < length) values.push(null);
  columns.set(name, values);
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
