/** The live link as a pure state machine: an event in, the next state and what to do out. */

export type LinkPhase = "stopped" | "ticket" | "connecting" | "open" | "waiting";

export interface LinkState {
  phase: LinkPhase;
  /** Failed attempts since the link last worked. */
  failures: number;
  /** When it will be tried again, on the browser's clock; meaningful while waiting. */
  retryAtMs: number;
  /** When it was last lost; null before the first loss and while it works. */
  downSinceMs: number | null;
  /** Why, in words. */
  reason: string | null;
}

export type LinkEvent =
  | { type: "start" }
  | { type: "stop" }
  | { type: "ticket"; ticket: string }
  | { type: "ticket_failed"; reason: string }
  | { type: "welcome" }
  | { type: "closed"; reason: string }
  | { type: "silent" }
  | { type: "retry" };

export type LinkEffect =
  | { type: "fetch_ticket" }
  | { type: "open"; ticket: string }
  | { type: "close" }
  | { type: "retry_after"; delayMs: number }
  | { type: "cancel_retry" };

/** First delay: short, because most losses are a restart of the server. */
export const BACKOFF_FIRST_MS = 500;
/** Longest delay: a person who waits in front of the screen should not wait longer for a server that is back. */
export const BACKOFF_LAST_MS = 15_000;

export const STOPPED: LinkState = {
  phase: "stopped",
  failures: 0,
  retryAtMs: 0,
  downSinceMs: null,
  reason: null,
};

/** Delay before the next attempt: doubled each time, with `chance` (0 to 1) spreading it over its upper half. */
export function backoffMs(failures: number, chance: number): number {
  const ceiling = Math.min(BACKOFF_LAST_MS, BACKOFF_FIRST_MS * 2 ** Math.max(0, failures - 1));
  return Math.round(ceiling * (0.5 + chance / 2));
}

interface Step {
  state: LinkState;
  effects: LinkEffect[];
}

export function step(state: LinkState, event: LinkEvent, nowMs: number, chance: number): Step {
  switch (event.type) {
    case "start":
      return state.phase === "stopped" ? attempt(state) : stay(state);
    case "stop":
      return { state: STOPPED, effects: [{ type: "cancel_retry" }, { type: "close" }] };
    case "ticket":
      if (state.phase !== "ticket") return stay(state);
      return { state: { ...state, phase: "connecting" }, effects: [{ type: "open", ticket: event.ticket }] };
    case "ticket_failed":
      return state.phase === "ticket" ? wait(state, event.reason, nowMs, chance) : stay(state);
    case "welcome":
      if (state.phase !== "connecting") return stay(state);
      return { state: { ...STOPPED, phase: "open" }, effects: [] };
    case "closed":
      if (state.phase !== "connecting" && state.phase !== "open") return stay(state);
      return wait(state, event.reason, nowMs, chance);
    case "silent": {
      if (state.phase !== "open") return stay(state);
      const lost = wait(state, "The connection went silent.", nowMs, chance);
      return { state: lost.state, effects: [{ type: "close" }, ...lost.effects] };
    }
    case "retry":
      if (state.phase !== "waiting") return stay(state);
      return attempt(state, [{ type: "cancel_retry" }]);
  }
}

function stay(state: LinkState): Step {
  return { state, effects: [] };
}

function attempt(state: LinkState, before: LinkEffect[] = []): Step {
  return { state: { ...state, phase: "ticket" }, effects: [...before, { type: "fetch_ticket" }] };
}

function wait(state: LinkState, reason: string, nowMs: number, chance: number): Step {
  const failures = state.failures + 1;
  const delayMs = backoffMs(failures, chance);
  return {
    state: {
      phase: "waiting",
      failures,
      retryAtMs: nowMs + delayMs,
      downSinceMs: state.downSinceMs ?? nowMs,
      reason,
    },
    effects: [{ type: "retry_after", delayMs }],
  };
}
