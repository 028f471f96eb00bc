/** Numbers, ages and times as people read them. A value that is not known prints as an en dash. */

export const UNKNOWN = "–";

const BINARY_UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;

/** Three significant digits, never more than two behind the point. */
function compact(value: number): string {
  const size = Math.abs(value);
  if (size >= 100) return value.toFixed(0);
  return size >= 10 ? value.toFixed(1) : value.toFixed(2);
}

export function formatBytes(bytes: number | null | undefined): string {
  if (bytes == null || !Number.isFinite(bytes)) return UNKNOWN;
  let value = bytes;
  let unit = 0;
  while (Math.abs(value) >= 1000 && unit < BINARY_UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value.toFixed(0) : compact(value)} ${BINARY_UNITS[unit]}`;
}

export function formatRate(bytesPerSecond: number | null | undefined): string {
  const bytes = formatBytes(bytesPerSecond);
  return bytes === UNKNOWN ? UNKNOWN : `${bytes}/s`;
}

export function formatPercent(percent: number | null | undefined, digits = 1): string {
  return percent == null || !Number.isFinite(percent) ? UNKNOWN : `${percent.toFixed(digits)} %`;
}

export function formatNumber(value: number | null | undefined): string {
  if (value == null || !Number.isFinite(value)) return UNKNOWN;
  if (Math.abs(value) >= 10_000) return `${compact(value / 1000)} k`;
  return Number.isInteger(value) ? value.toFixed(0) : compact(value);
}

export function formatCelsius(value: number | null | undefined): string {
  return value == null || !Number.isFinite(value) ? UNKNOWN : `${value.toFixed(1)} °C`;
}

export function formatMilliseconds(ms: number | null | undefined): string {
  if (ms == null || !Number.isFinite(ms)) return UNKNOWN;
  if (Math.abs(ms) < 1000) return `${Math.round(ms)} ms`;
  return Math.abs(ms) < 10_000 ? `${(ms / 1000).toFixed(1)} s` : formatDuration(ms);
}

/** Two largest units: `42 s`, `3 min 20 s`, `5 h 12 min`, `4 d 2 h`. */
export function formatDuration(ms: number | null | undefined): string {
  if (ms == null || !Number.isFinite(ms)) return UNKNOWN;
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return pair(seconds, 60, "min", "s");
  if (seconds < 86_400) return pair(Math.floor(seconds / 60), 60, "h", "min");
  return pair(Math.floor(seconds / 3600), 24, "d", "h");
}

function pair(value: number, base: number, large: string, small: string): string {
  const rest = value % base;
  const whole = `${Math.floor(value / base)} ${large}`;
  return rest === 0 ? whole : `${whole} ${rest} ${small}`;
}

/** Largest unit only: `5 h ago`. */
export function formatAge(ms: number): string {
  const [value, unit] = formatDuration(ms).split(" ");
  return `${value} ${unit} ago`;
}

const clock = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});
const dayAndClock = new Intl.DateTimeFormat(undefined, {
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });

export const formatClock = (unixMs: number): string => clock.format(unixMs);
export const formatMoment = (unixMs: number): string => dayAndClock.format(unixMs);
export const formatDay = (unixMs: number): string => day.format(unixMs);

/** Words of the server, which are without capital and full stop so that they fit into longer ones, as a sentence. */
export function sentence(words: string): string {
  const trimmed = words.trim();
  if (trimmed === "") return "";
  const capital = trimmed.charAt(0).toUpperCase() + trimmed.slice(1);
  return /[.!?…]$/.test(capital) ? capital : `${capital}.`;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
}
