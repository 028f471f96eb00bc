/** The stretch of time that a page shows, and how the address bar says it. */

export type RangeName = "live" | "15m" | "1h" | "6h" | "24h" | "7d" | "30d";
export type Range = { kind: "rolling"; name: RangeName } | { kind: "custom"; fromMs: number; toMs: number };

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

export const ROLLING: Record<RangeName, { lengthMs: number; label: string; title: string }> = {
  live: { lengthMs: 15 * MINUTE_MS, label: "Live", title: "The last 15 minutes, each second" },
  "15m": { lengthMs: 15 * MINUTE_MS, label: "15 m", title: "The last 15 minutes" },
  "1h": { lengthMs: HOUR_MS, label: "1 h", title: "The last hour" },
  "6h": { lengthMs: 6 * HOUR_MS, label: "6 h", title: "The last 6 hours" },
  "24h": { lengthMs: DAY_MS, label: "24 h", title: "The last 24 hours" },
  "7d": { lengthMs: 7 * DAY_MS, label: "7 d", title: "The last 7 days" },
  "30d": { lengthMs: 30 * DAY_MS, label: "30 d", title: "The last 30 days" },
};

export const LIVE: Range = { kind: "rolling", name: "live" };
/** A drag over less than this is a click. */
export const SHORTEST_CUSTOM_MS = 2_000;

export function parseRange(search: URLSearchParams): Range {
  const name = search.get("range");
  if (name && Object.hasOwn(ROLLING, name)) return { kind: "rolling", name: name as RangeName };
  const fromMs = Number(search.get("from"));
  const toMs = Number(search.get("to"));
  if (Number.isFinite(fromMs) && Number.isFinite(toMs) && fromMs > 0 && toMs - fromMs >= SHORTEST_CUSTOM_MS) {
    return { kind: "custom", fromMs, toMs };
  }
  return LIVE;
}

/** Writes a range into the parameters of an address; the range that needs no word gets none. */
export function writeRange(search: URLSearchParams, range: Range): void {
  for (const name of ["range", "from", "to"]) search.delete(name);
  if (range.kind === "custom") {
    search.set("from", String(Math.round(range.fromMs)));
    search.set("to", String(Math.round(range.toMs)));
  } else if (range.name !== "live") {
    search.set("range", range.name);
  }
}

export function windowOf(range: Range, nowMs: number): { fromMs: number; toMs: number } {
  if (range.kind === "custom") return { fromMs: range.fromMs, toMs: range.toMs };
  return { fromMs: nowMs - ROLLING[range.name].lengthMs, toMs: nowMs };
}

/** A value for `<input type="datetime-local">`, in the browser's time zone, and back. */
export function toLocalInput(unixMs: number): string {
  const local = new Date(unixMs - new Date(unixMs).getTimezoneOffset() * MINUTE_MS);
  return local.toISOString().slice(0, 19);
}

export const fromLocalInput = (text: string): number => new Date(text).getTime();
