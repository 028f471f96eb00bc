import { formatAge } from "../format";
import { LATE_AFTER_MS } from "./fleet-store";

export type Freshness = "live" | "late" | "offline" | "never";

interface Input {
  online: boolean;
  ageMs: number;
  hasReading: boolean;
  linkOpen: boolean;
}

/** Whether a host's numbers may be shown as being of now. */
export function freshness({ online, ageMs, hasReading, linkOpen }: Input): Freshness {
  if (!hasReading) return online ? "late" : "never";
  if (linkOpen && online && ageMs < LATE_AFTER_MS) return "live";
  return online ? "late" : "offline";
}

const WORDS: Record<Freshness, string> = {
  live: "Live",
  late: "Late",
  offline: "Offline",
  never: "No data yet",
};

/** One short phrase: state and, unless live, age. */
export function freshnessText(state: Freshness, ageMs: number): string {
  if (state === "live" || state === "never" || !Number.isFinite(ageMs)) return WORDS[state];
  return `${WORDS[state]} · ${formatAge(ageMs)}`;
}
