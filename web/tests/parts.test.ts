import { describe, expect, it } from "vitest";
import { Api } from "../src/api/client";
import { Session } from "../src/api/session";
import { joinParts } from "../src/history/parts";
import type { History } from "../src/protocol.generated";

function part(series: string, stepMs: number, times: number[], values: (number | null)[]): History {
  return {
    host_id: "a",
    from_unix_ms: 0,
    to_unix_ms: 4_000,
    step_ms: stepMs,
    times_unix_ms: times,
    columns: [{ series, mean: values, min: values, max: values }],
    coverage: times.map(() => 1),
    gaps: [],
  };
}

describe("parts of a history", () => {
  it("on one grid are put side by side", () => {
    const joined = joinParts([part("a", 1000, [0, 1000], [1, 2]), part("b", 1000, [0, 1000], [3, 4])]);
    expect(joined?.columns.map((column) => column.mean)).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  it("on different grids meet on the coarsest, peaks kept", () => {
    const fine = part("a", 1000, [0, 1000, 2000, 3000], [1, 3, null, null]);
    const joined = joinParts([fine, part("b", 2000, [0, 2000], [7, 8])]);
    expect(joined).toMatchObject({ step_ms: 2000, times_unix_ms: [0, 2000] });
    expect(joined?.columns[0]).toEqual({ series: "a", mean: [2, null], min: [1, null], max: [3, null] });
  });
});

describe("a question about series of which one has nothing in that time", () => {
  it("is answered for the others", async () => {
    const session = new Session(async (input) => {
      const asked = new URL(input, "http://x").searchParams.get("series")?.split(",") ?? [];
      if (asked.includes("gone")) {
        return new Response(JSON.stringify({ error: { code: "unknown_series", message: "no" } }), {
          status: 400,
        });
      }
      const answer = {
        ...part("", 1000, [0], [1]),
        columns: asked.map((series) => ({ series, mean: [1], min: [1], max: [1] })),
      };
      return new Response(JSON.stringify(answer));
    });
    const history = await new Api(session).history({
      hostId: "a",
      series: ["a", "gone", "b", "c"],
      fromMs: 0,
      toMs: 1000,
      points: 9,
    });
    expect(history?.columns.map((column) => column.series)).toEqual(["a", "b", "c"]);
  });
});
