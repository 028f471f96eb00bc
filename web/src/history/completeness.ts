import { formatDuration, formatMoment } from "../format";
import type { Gap, GapReason } from "../protocol.generated";
import type { Timeline } from "./merge";

const REASONS: Record<GapReason, string> = {
  not_received: "not received yet: the host may still bring them",
  spool_full: "the host's spool was full",
  too_old: "older than the host's spool keeps",
  damaged: "the host's spool was damaged",
  disk_failed: "the host could not write its disk",
  client_not_running: "the node-client did not run",
  expired: "past what the server keeps",
};

export const reasonText = (reason: GapReason): string => REASONS[reason] ?? reason;

export interface Stretch {
  fromMs: number;
  toMs: number;
  /** Share that is there, 0 to 1. */
  share: number;
  text: string;
}

export interface Completeness {
  /** Share of all seconds of the window up to the newest reading; null when there is none at all. */
  share: number | null;
  /** Start of that window: before it, nothing could be there. */
  fromMs: number | null;
  missingMs: number;
  stretches: Stretch[];
  /** One sentence for a screen reader and for the line under the charts. */
  text: string;
}

const NOTHING: Completeness = {
  share: null,
  fromMs: null,
  missingMs: 0,
  stretches: [],
  text: "No readings in this stretch of time.",
};

/** What is missing from a timeline, from when to when, and why. */
export function completeness(timeline: Timeline): Completeness {
  const { timesMs, coverage, stepMs } = timeline;
  const first = firstKnown(timeline);
  const end = endOfKnown(timeline);
  if (first >= end) return NOTHING;
  let present = 0;
  const stretches: Stretch[] = [];
  timesMs.forEach((startMs, index) => {
    if (index < first || index >= end) return;
    const share = coverage[index] ?? 1;
    present += share;
    if (share < 0.999) addStep(stretches, timeline.gaps, startMs, startMs + stepMs, share);
  });
  const expected = end - first;
  const share = present / expected;
  const missingMs = (expected - present) * stepMs;
  const fromMs = timesMs[first] ?? null;
  return { share, fromMs, missingMs, stretches, text: summary(share, missingMs, stretches, timeline.gaps) };
}

/** The time before the first reading of all is not missing, unless the server says so. */
function firstKnown({ timesMs, coverage, gaps, stepMs }: Timeline): number {
  const index = timesMs.findIndex(
    (startMs, at) =>
      (coverage[at] ?? 1) > 0 ||
      gaps.some((gap) => gap.to_unix_ms > startMs && gap.from_unix_ms < startMs + stepMs),
  );
  return index === -1 ? timesMs.length : index;
}

/** The last seconds are on their way, not missing; a longer silence is. */
const UNDER_WAY_MS = 5_000;

function endOfKnown({ timesMs, coverage, stepMs }: Timeline): number {
  let end = timesMs.length;
  while (end > 0 && (coverage[end - 1] ?? 1) === 0) end -= 1;
  return (timesMs.length - end) * stepMs <= UNDER_WAY_MS ? end : timesMs.length;
}

function addStep(
  stretches: Stretch[],
  gaps: readonly Gap[],
  fromMs: number,
  toMs: number,
  share: number,
): void {
  const last = stretches[stretches.length - 1];
  const why = reasonAt(gaps, fromMs, toMs);
  if (last && last.toMs === fromMs && Math.abs(last.share - share) < 0.05 && last.text.endsWith(why)) {
    last.toMs = toMs;
    last.text = describe(last.fromMs, toMs, share, why);
    return;
  }
  stretches.push({ fromMs, toMs, share, text: describe(fromMs, toMs, share, why) });
}

function reasonAt(gaps: readonly Gap[], fromMs: number, toMs: number): string {
  const gap = gaps.find((candidate) => candidate.to_unix_ms > fromMs && candidate.from_unix_ms < toMs);
  return reasonText(gap?.reason ?? "not_received");
}

function describe(fromMs: number, toMs: number, share: number, why: string): string {
  const missing = formatDuration((toMs - fromMs) * (1 - share));
  return `${formatMoment(fromMs)} – ${formatMoment(toMs)}: ${missing} missing, ${why}`;
}

function summary(
  share: number,
  missingMs: number,
  stretches: readonly Stretch[],
  gaps: readonly Gap[],
): string {
  if (stretches.length === 0) return "Complete: no second is missing.";
  // Never rounds up to 100 % while something is missing.
  const percent = Math.min(99.99, Math.floor(share * 10_000) / 100).toFixed(2);
  const reasons = [...new Set(gaps.map((gap) => reasonText(gap.reason)))];
  const why = reasons.length > 0 ? ` (${reasons.join("; ")})` : "";
  return `${percent} % complete: ${formatDuration(missingMs)} missing${why}.`;
}
