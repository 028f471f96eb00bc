import type { Column, History } from "../protocol.generated";
import { lowerBound } from "./merge";

/**
 * Histories of one host over one stretch of time as one, on the coarsest of their grids: the server may choose a
 * coarser step for a question of many series. Null when there is none.
 */
export function joinParts(parts: readonly History[]): History | null {
  const [first, ...others] = parts;
  if (!first) return null;
  const base = others.reduce((coarsest, part) => (part.step_ms > coarsest.step_ms ? part : coarsest), first);
  return {
    ...base,
    columns: parts.flatMap((part) => (sameGrid(part, base) ? part.columns : regrid(part, base))),
  };
}

function sameGrid(part: History, base: History): boolean {
  return (
    part.step_ms === base.step_ms &&
    part.times_unix_ms.length === base.times_unix_ms.length &&
    part.times_unix_ms[0] === base.times_unix_ms[0]
  );
}

/** Columns on another grid: each step takes the mean, the lowest and the highest of the steps that begin in it. */
function regrid(part: History, base: History): Column[] {
  const ranges = base.times_unix_ms.map((start) => [
    lowerBound(part.times_unix_ms, start),
    lowerBound(part.times_unix_ms, start + base.step_ms),
  ]);
  const reduce = (values: (number | null)[], join: (numbers: number[]) => number) =>
    ranges.map(([from, to]) => {
      const numbers = values.slice(from, to).filter((value) => value !== null);
      return numbers.length === 0 ? null : join(numbers);
    });
  return part.columns.map(({ series, mean, min, max }) => ({
    series,
    mean: reduce(mean, (numbers) => numbers.reduce((sum, value) => sum + value, 0) / numbers.length),
    min: reduce(min, (numbers) => Math.min(...numbers)),
    max: reduce(max, (numbers) => Math.max(...numbers)),
  }));
}
