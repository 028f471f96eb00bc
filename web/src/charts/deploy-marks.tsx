import type { DeployMark } from "../history/deploys";
import { AXIS_PX, RIGHT_PX } from "./options";

/** Lines over a chart where something was deployed; the flag on top says what, on hover. */
export function DeployMarks({ marks }: { marks: readonly DeployMark[] }) {
  return marks.map((mark) => (
    <div
      className={`deploy-mark ${mark.outcome}`}
      key={mark.timeMs}
      aria-hidden="true"
      style={{ left: `calc(${AXIS_PX}px + (100% - ${AXIS_PX + RIGHT_PX}px) * ${mark.share})` }}
    >
      <i />
      <span className={`deploy-tip ${mark.share > 0.5 ? "left" : ""}`}>
        {mark.lines.map((line) => (
          <span key={line}>{line}</span>
        ))}
      </span>
    </div>
  ));
}
