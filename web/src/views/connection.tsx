import { useDerivedEachSecond, useSeconds } from "../app/seconds";
import { fleet, live, useLink } from "../app/services";
import { formatDuration, formatMilliseconds, plural, sentence } from "../format";

/** A loss shorter than this is mended before a person could read of it. */
const SHOW_AFTER_MS = 400;

const MEASURED = "Measured from the reading on a host to this screen: the middle of the last ones.";

/** The state of the live link and the measured delay from host to screen. */
export function Pulse() {
  const link = useLink();
  const delay = useDerivedEachSecond(() => {
    const median = fleet.delay.value();
    return median === null ? null : formatMilliseconds(median);
  });
  const missed = useDerivedEachSecond(() => fleet.missedFrames);
  if (link.phase === "open") {
    return (
      <span
        className="pulse"
        title={missed > 0 ? `${MEASURED} ${plural(missed, "frame")} left out.` : MEASURED}
      >
        <span className="dot" />
        <span>Live{delay && <span className="visually-hidden">, delay</span>}</span>
        {delay && (
          <span className="extra" data-testid="delay">
            {delay} host → screen
          </span>
        )}
      </span>
    );
  }
  return (
    <span className="pulse">
      <span className="dot late" /> {link.downSinceMs === null ? "Connecting" : "Offline"}
    </span>
  );
}

/** Tells when the link is down, how old the data is, and when it will be tried again. */
export function ConnectionBanner() {
  const link = useLink();
  return (
    <div role="status" aria-live="polite">
      {link.downSinceMs !== null && link.phase !== "open" && <Lost />}
    </div>
  );
}

function Lost() {
  const link = useLink();
  const now = useSeconds();
  const downMs = now - (link.downSinceMs ?? now);
  if (downMs < SHOW_AFTER_MS && link.failures < 2) return null;
  const age = fleet.lastFrameMs === null ? null : Math.max(0, now - fleet.lastFrameMs);
  const waiting = link.phase === "waiting";
  return (
    <div className="banner" data-testid="link-down">
      <strong>Not connected.</strong>
      <span>{sentence(link.reason ?? "")}</span>
      <span aria-hidden="true">
        {age !== null && `What you see is ${formatDuration(age)} old. `}
        {waiting ? `Next try in ${formatDuration(Math.max(0, link.retryAtMs - now))}.` : "Connecting…"}
      </span>
      {waiting && (
        <button type="button" className="button small" onClick={live.retryNow}>
          Try now
        </button>
      )}
    </div>
  );
}
