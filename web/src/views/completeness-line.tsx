import { useMemo } from "react";
import { completeness } from "../history/completeness";
import type { Timeline } from "../history/merge";

/** Stretches listed before the rest is only counted. */
const LISTED_MAX = 50;

/** How complete the shown time is, in words, with each missing stretch for those who cannot hover. */
export function CompletenessLine({ timeline }: { timeline: Timeline }) {
  const { text, stretches } = useMemo(() => completeness(timeline), [timeline]);
  return (
    <div className="complete" data-testid="completeness">
      <span>{text}</span>
      {stretches.length > 0 && (
        <details>
          <summary>What is missing, and why</summary>
          <ul>
            {stretches.slice(0, LISTED_MAX).map((stretch) => (
              <li key={stretch.fromMs}>{stretch.text}</li>
            ))}
            {stretches.length > LISTED_MAX && <li>and {stretches.length - LISTED_MAX} more</li>}
          </ul>
        </details>
      )}
    </div>
  );
}
