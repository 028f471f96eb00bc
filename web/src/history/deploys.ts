import { formatDuration, formatMoment } from "../format";
import type { DeployEvent, DeployOutcome } from "../protocol.generated";

const OUTCOMES: Record<DeployOutcome, string> = {
  running: "not ended yet",
  succeeded: "succeeded",
  failed: "failed",
  rolled_back: "failed and was rolled back",
};

/** Whichever of these comes first says how a mark looks. */
const WORST_FIRST: DeployOutcome[] = ["failed", "rolled_back", "running", "succeeded"];

/** Share of the window within which marks cannot be told apart and become one. */
const NEAR_SHARE = 0.008;

/** A place in a chart where something was deployed. */
export interface DeployMark {
  timeMs: number;
  /** 0 at the left end of the window, 1 at its right. */
  share: number;
  outcome: DeployOutcome;
  /** A line for each event, oldest first. */
  lines: string[];
}

/** The marks of a window: those of all hosts, and those of the named ones. */
export function deployMarks(
  events: readonly DeployEvent[],
  hosts: readonly string[],
  fromMs: number,
  toMs: number,
): DeployMark[] {
  const length = toMs - fromMs;
  const shown = events
    .filter(({ host, started_unix_ms: at }) => at >= fromMs && at < toMs && (!host || hosts.includes(host)))
    .sort((a, b) => a.started_unix_ms - b.started_unix_ms);
  const marks: DeployMark[] = [];
  for (const event of shown) {
    const { outcome, started_unix_ms: timeMs } = event;
    const last = marks[marks.length - 1];
    if (last && timeMs - last.timeMs < length * NEAR_SHARE) {
      last.lines.push(deployText(event));
      last.outcome = WORST_FIRST.find((worst) => worst === outcome || worst === last.outcome) ?? outcome;
    } else {
      marks.push({ timeMs, share: (timeMs - fromMs) / length, outcome, lines: [deployText(event)] });
    }
  }
  return marks;
}

/** An event in one sentence: when, what, which release, where, who, how it ended. */
export function deployText(event: DeployEvent): string {
  const { started_unix_ms: started, finished_unix_ms: finished } = event;
  const took = finished === null ? "" : ` after ${formatDuration(finished - started)}`;
  const where = event.host ?? "all hosts";
  const who = event.who ? `, by ${event.who}` : "";
  return (
    `${formatMoment(started)}: ${event.what} of ${event.project}, release ${event.release_id}, ` +
    `on ${where}${who}: ${OUTCOMES[event.outcome] ?? event.outcome}${took}`
  );
}
