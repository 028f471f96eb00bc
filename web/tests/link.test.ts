import { describe, expect, it } from "vitest";
import {
  BACKOFF_FIRST_MS,
  BACKOFF_LAST_MS,
  backoffMs,
  type LinkEvent,
  type LinkState,
  STOPPED,
  step,
} from "../src/live/link";

const NOW = 1_000_000;

function run(events: LinkEvent[], from: LinkState = STOPPED) {
  let state = from;
  let effects: ReturnType<typeof step>["effects"] = [];
  for (const event of events) ({ state, effects } = step(state, event, NOW, 1));
  return { state, effects };
}

const OPEN: LinkEvent[] = [{ type: "start" }, { type: "ticket", ticket: "t1" }, { type: "welcome" }];

describe("the live link", () => {
  it("fetches a ticket first and opens the socket with it", () => {
    expect(run([{ type: "start" }]).effects).toEqual([{ type: "fetch_ticket" }]);
    expect(run(OPEN.slice(0, 2)).effects).toEqual([{ type: "open", ticket: "t1" }]);
  });

  it("is open only after the welcome", () => {
    expect(run(OPEN.slice(0, 2)).state.phase).toBe("connecting");
    expect(run(OPEN).state.phase).toBe("open");
  });

  it("waits, then asks for a new ticket after a loss", () => {
    const lost = run([...OPEN, { type: "closed", reason: "gone" }]);
    expect(lost.state).toMatchObject({ phase: "waiting", failures: 1, downSinceMs: NOW, reason: "gone" });
    expect(lost.effects).toEqual([{ type: "retry_after", delayMs: BACKOFF_FIRST_MS }]);
    expect(run([{ type: "retry" }], lost.state).effects).toContainEqual({ type: "fetch_ticket" });
  });

  it("remembers since when it is down until it is welcomed again", () => {
    const lost = run([...OPEN, { type: "closed", reason: "gone" }]).state;
    const again = step(lost, { type: "retry" }, NOW + 9_000, 0).state;
    const failed = step(again, { type: "ticket_failed", reason: "refused" }, NOW + 9_000, 0).state;
    expect(failed).toMatchObject({ failures: 2, downSinceMs: NOW, reason: "refused" });
    const back = run([{ type: "retry" }, { type: "ticket", ticket: "t" }, { type: "welcome" }], failed).state;
    expect(back).toMatchObject({ phase: "open", failures: 0, downSinceMs: null });
  });

  it("closes a socket that went silent", () => {
    expect(run([...OPEN, { type: "silent" }]).effects[0]).toEqual({ type: "close" });
  });

  it("ignores what comes late", () => {
    const stopped = run([...OPEN, { type: "stop" }]).state;
    for (const event of [
      { type: "ticket", ticket: "t" },
      { type: "closed", reason: "" },
      { type: "retry" },
    ] as LinkEvent[]) {
      expect(step(stopped, event, NOW, 0)).toEqual({ state: stopped, effects: [] });
    }
  });

  it("spreads its attempts and never waits longer than the limit", () => {
    for (let failures = 1; failures < 40; failures += 1) {
      expect(backoffMs(failures, 0)).toBeLessThanOrEqual(backoffMs(failures, 1));
      expect(backoffMs(failures, 1)).toBeLessThanOrEqual(BACKOFF_LAST_MS);
      expect(backoffMs(failures, 0)).toBeGreaterThanOrEqual(BACKOFF_FIRST_MS / 2);
    }
  });
});
