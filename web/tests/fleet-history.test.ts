import { describe, expect, it } from "vitest";
import { fleetHistoryPath } from "../src/api/client";
import type { FleetAggregate, FleetHistory } from "../src/api/types";
import { fleetCharts, fleetTimeline } from "../src/history/fleet-history";

function answer(
  series: string,
  aggregate: FleetAggregate,
  groups: [label: string, hosts: number, values: (number | null)[]][],
  times = [0, 1000],
): FleetHistory {
  return {
    series,
    aggregate,
    step_ms: 1000,
    times_unix_ms: times,
    groups: groups.map(([label, hosts, values]) => ({ label, hosts, values })),
  };
}

const lines = (answers: FleetHistory[], by: string) =>
  fleetCharts(answers, by).map(({ title, lines }) => [title, lines.map(({ label }) => label)]);

describe("the fleet's past", () => {
  it("of all hosts shows mean, peaks and sums side by side", () => {
    const answers = [
      answer("cpu_used_percent", "mean", [["", 2, [10, 20]]]),
      answer("cpu_used_percent", "p95", [["", 2, [18, 30]]]),
      answer("cpu_used_percent", "max", [["", 2, [20, 40]]]),
      answer("memory_used_bytes", "sum", [["", 2, [5, 6]]]),
      answer("memory_total_bytes", "sum", [["", 2, [8, 8]]]),
    ];
    expect(lines(answers, "")).toEqual([
      ["CPU used", ["mean", "95 % of hosts below", "highest"]],
      ["Memory, all hosts", ["used", "total"]],
    ]);
    const [cpu] = fleetCharts(answers, "");
    const timeline = fleetTimeline(answers);
    expect(cpu?.lines.map(({ series }) => timeline.series.get(series))).toEqual([
      [10, 20],
      [18, 30],
      [20, 40],
    ]);
  });

  it("by a label has a line for each value, those with the most hosts first", () => {
    const answers = [
      answer("cpu_used_percent", "mean", [
        ["", 1, [1, 1]],
        ["db", 1, [2, 2]],
        ["web", 9, [3, 3]],
      ]),
    ];
    expect(lines(answers, "role")).toEqual([["CPU used, mean, by role", ["web", "without role", "db"]]]);
  });

  it("by a label of very many values keeps as many lines as there are colours", () => {
    const groups = Array.from({ length: 30 }, (_, place): [string, number, number[]] => [
      `r${place}`,
      1,
      [1, 2],
    ]);
    const [chart] = fleetCharts([answer("cpu_used_percent", "mean", groups)], "rack");
    expect(chart?.lines.map(({ label }) => label)).toEqual(
      Array.from({ length: 8 }, (_, place) => `r${place}`),
    );
  });

  it("meets on one time axis when an answer came a step later", () => {
    const early = answer("cpu_used_percent", "mean", [["", 1, [1, 2, 3]]], [0, 1000, 2000]);
    const late = answer("memory_used_bytes", "sum", [["", 1, [7, 8]]], [1000, 2000]);
    const timeline = fleetTimeline([early, late]);
    expect(timeline.timesMs).toEqual([0, 1000, 2000]);
    expect([...timeline.series.values()]).toEqual([
      [1, 2, 3],
      [null, 7, 8],
    ]);
  });

  it("of nothing is empty", () => {
    expect(fleetCharts([], "")).toEqual([]);
    expect(fleetTimeline([]).timesMs).toEqual([]);
  });

  it("is asked for in whole milliseconds, with a label only where one is chosen", () => {
    const query = { series: "a:*", aggregate: "sum", by: "", fromMs: 0.4, toMs: 9, points: 2 } as const;
    expect(fleetHistoryPath(query)).toBe("/fleet/history?series=a%3A*&aggregate=sum&from=0&to=9&points=2");
    expect(fleetHistoryPath({ ...query, by: "role" })).toContain("&by=role");
  });
});
