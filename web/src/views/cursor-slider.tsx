import { useState } from "react";
import { moveCursor } from "../charts/cursor";
import { formatMoment } from "../format";
import type { Timeline } from "../history/merge";

/** The shared cursor for the keyboard: arrows step through the points, Escape lets go. */
export function CursorSlider({ timeline }: { timeline: Timeline }) {
  const last = timeline.timesMs.length - 1;
  const [index, setIndex] = useState<number | null>(null);
  const at = Math.min(index ?? last, last);
  const time = timeline.timesMs[at];
  if (time === undefined) return null;
  const put = (next: number | null) => {
    setIndex(next);
    moveCursor(next === null ? null : (timeline.timesMs[next] ?? null));
  };
  return (
    <input
      type="range"
      className="cursor-slider"
      aria-label="Time under the cursor of all charts"
      aria-valuetext={formatMoment(time)}
      min={0}
      max={last}
      value={at}
      onChange={(event) => put(Number(event.target.value))}
      onKeyDown={(event) => event.key === "Escape" && put(null)}
      onBlur={() => put(null)}
    />
  );
}
