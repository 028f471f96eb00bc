import type { DeployMark } from "../history/deploys";

/** What was deployed in the shown time, for those who cannot hover over a chart. */
export function DeployLine({ marks }: { marks: readonly DeployMark[] }) {
  const lines = marks.flatMap((mark) => mark.lines);
  if (lines.length === 0) return null;
  return (
    <div className="complete" data-testid="deploys">
      <details>
        <summary>
          {lines.length === 1 ? "One deed of a rollout" : `${lines.length} deeds of rollouts`} in this stretch
          of time
        </summary>
        <ul>
          {lines.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      </details>
    </div>
  );
}
