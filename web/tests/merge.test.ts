import { describe, expect, it } from "vitest";
import { completeness } from "../src/history/completeness";
import { joinLive } from "../src/history/merge";
import { parseRange, windowOf, writeRange } from "../src/history/range";
import type { Values } from "../src/live/columns";
import type { Gap, History } from "../src/protocol.generated";

const CPU = "cpu_used_percent";

function history(
  times: number[],
  values: Values,
  stepMs = 1000,
  coverage = values.map((v) => (v === null ? 0 : 1)),
  gaps: Gap[] = [],
): History {
  return {
    host_id: "a",
    from_unix_ms: times[0] ?? 0,
    to_unix_ms: (times.at(-1) ?? 0) + stepMs,
    step_ms: stepMs,
    times_unix_ms: times,
    columns: [{ series: CPU, mean: values, min: values, max: values }],
    coverage,
    gaps,
  };
}

const stream = (timesMs: number[], values: Values) => ({ timesMs, series: new Map([[CPU, values]]) });

describe("history joined with the live stream", () => {
  it("has each second once", () => {
    const joined = joinLive(
      history([1_000, 2_000, 3_000], [1, 2, 3]),
      stream([3_000, 4_000, 5_000], [3, 4, 5]),
      0,
      9_000,
    );
    expect(joined.timesMs).toEqual([1_000, 2_000, 3_000, 4_000, 5_000]);
    expect(joined.series.get(CPU)).toEqual([1, 2, 3, 4, 5]);
    expect(completeness(joined).share).toBe(1);
  });

  it("gives a reading to the nearest second", () => {
    const joined = joinLive(null, stream([999, 2_001, 2_999], [1, 2, 3]), 0, 9_000);
    expect(joined.timesMs).toEqual([1_000, 2_000, 3_000]);
    expect(joined.series.get(CPU)).toEqual([1, 2, 3]);
  });

  it("keeps a stored step that the stream covers only in part", () => {
    const joined = joinLive(
      history([0, 10_000], [5, 6], 10_000),
      stream([19_000, 20_000, 21_000], [9, 1, 3]),
      0,
      60_000,
    );
    expect(joined.timesMs).toEqual([0, 10_000, 20_000]);
    expect(joined.series.get(CPU)).toEqual([5, 6, 2]);
    expect(joined.highest.get(CPU)?.at(-1)).toBe(3);
  });

  it("fills with the stream what the store does not have yet, and the other way round", () => {
    const stored = history([1_000, 2_000, 3_000, 4_000], [1, 2, null, 4]);
    const joined = joinLive(stored, stream([2_000, 3_000, 5_000], [2, 3, 5]), 0, 9_000);
    expect(joined.series.get(CPU)).toEqual([1, 2, 3, 4, 5]);
    expect(completeness(joined).share).toBe(1);
  });

  it("puts steps that the store left out back as empty ones", () => {
    const joined = joinLive(history([0, 3_000], [1, 2]), stream([], []), 0, 9_000);
    expect(joined.series.get(CPU)).toEqual([1, null, null, 2]);
    expect(completeness(joined).missingMs).toBe(2_000);
  });

  it("shows a hole between both as missing steps", () => {
    const joined = joinLive(history([0, 1_000], [1, 1]), stream([4_000, 5_000], [2, 2]), 0, 9_000);
    expect(joined.series.get(CPU)).toEqual([1, 1, null, null, 2, 2]);
    expect(completeness(joined).missingMs).toBe(2_000);
  });

  it("takes nothing of the stream into a window of the past", () => {
    const joined = joinLive(history([1_000], [1]), stream([900_000_000], [2]), 0, 2_000);
    expect(joined.timesMs).toEqual([1_000]);
  });
});

describe("completeness", () => {
  it("names the reason that the server gave", () => {
    const gaps: Gap[] = [{ from_unix_ms: 1_000, to_unix_ms: 3_000, reason: "spool_full" }];
    const joined = joinLive(
      history([0, 1_000, 2_000, 3_000], [1, null, null, 1], 1000, undefined, gaps),
      stream([], []),
      0,
      9_000,
    );
    const state = completeness(joined);
    expect(state.stretches).toHaveLength(1);
    expect(state.stretches[0]).toMatchObject({ fromMs: 1_000, toMs: 3_000 });
    expect(state.stretches[0]?.text).toContain("the host's spool was full");
    expect(state.text).toMatch(/^50\.00 % complete: 2 s missing/);
  });

  it("never rounds up to complete", () => {
    const times = Array.from({ length: 100_000 }, (_, index) => index * 1000);
    const values = times.map((_, index) => (index === 500 ? null : 1));
    expect(completeness(joinLive(history(times, values), stream([], []), 0, 1e9)).text).toMatch(/^99\.99 %/);
  });

  it("does not count the last seconds, which are on their way, but counts a longer silence", () => {
    const after = (silence: number) => {
      const values = [1, 1, ...new Array<null>(silence).fill(null)];
      return completeness(
        joinLive(
          history(
            values.map((_, index) => index * 1000),
            values,
          ),
          stream([], []),
          0,
          1e6,
        ),
      );
    };
    expect(after(3).share).toBe(1);
    expect(after(30).missingMs).toBe(30_000);
  });

  it("does not count the time before the first reading", () => {
    const joined = joinLive(history([0, 1_000, 2_000], [null, null, 1]), stream([], []), 0, 9_000);
    expect(completeness(joined).share).toBe(1);
  });
});

describe("a range", () => {
  it("comes back from the address as it went in", () => {
    for (const range of [
      { kind: "rolling", name: "live" },
      { kind: "rolling", name: "7d" },
      { kind: "custom", fromMs: 1_000, toMs: 90_000 },
    ] as const) {
      const search = new URLSearchParams("group=role");
      writeRange(search, range);
      expect(parseRange(search)).toEqual(range);
      expect(search.get("group")).toBe("role");
    }
  });

  it("falls back to live when the address makes no sense", () => {
    for (const search of ["range=toString", "from=9&to=3", "from=x&to=y"]) {
      expect(parseRange(new URLSearchParams(search))).toEqual({ kind: "rolling", name: "live" });
    }
    expect(windowOf({ kind: "rolling", name: "1h" }, 3_600_000)).toEqual({ fromMs: 0, toMs: 3_600_000 });
  });
});
