import { describe, expect, it } from "vitest";
import { deployMarks, deployText } from "../src/history/deploys";
import type { DeployEvent } from "../src/protocol.generated";

function event(startedMs: number, more: Partial<DeployEvent> = {}): DeployEvent {
  return {
    release_id: "r7",
    project: "lab",
    who: "ada@laptop",
    host: "alpha",
    what: "rollout",
    started_unix_ms: startedMs,
    finished_unix_ms: startedMs + 42_000,
    outcome: "succeeded",
    ...more,
  };
}

describe("marks of rollouts", () => {
  it("stand where a rollout of one of the hosts, or of all, started", () => {
    const events = [
      event(1_000_000, { host: null }),
      event(600_000),
      event(700_000, { host: "beta" }),
      event(2_000_000),
    ];
    const marks = deployMarks(events, ["alpha"], 500_000, 1_500_000);
    expect(marks.map((mark) => [mark.timeMs, mark.share])).toEqual([
      [600_000, 0.1],
      [1_000_000, 0.5],
    ]);
  });

  it("become one where they cannot be told apart, with the worst outcome", () => {
    const events = [event(10_000), event(10_100, { outcome: "failed", what: "node-client" }), event(90_000)];
    const marks = deployMarks(events, ["alpha"], 0, 100_000);
    expect(marks.map((mark) => mark.outcome)).toEqual(["failed", "succeeded"]);
    expect(marks[0]?.lines).toHaveLength(2);
  });

  it("say what, which release, where, who, and how it ended", () => {
    const text = deployText(event(0));
    for (const part of ["rollout", "r7", "alpha", "ada@laptop", "succeeded after 42 s"]) {
      expect(text).toContain(part);
    }
    const running = event(0, { host: null, who: "", finished_unix_ms: null, outcome: "running" });
    expect(deployText(running)).toMatch(/on all hosts: not ended yet$/);
  });
});
