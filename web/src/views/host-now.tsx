import { updateSearch, useLocation } from "../app/router";
import { QUESTIONS, type Question } from "../ask/answers";
import { useAnswer } from "../ask/use-answer";
import { useLastAnswer } from "../ask/use-last-answer";
import { formatClock, formatMoment } from "../format";
import type { HostSummary } from "../protocol.generated";
import { Loading, Problem } from "../ui/states";
import { AnswerOf } from "./answer-of";

const NAMES: Record<Question, string> = {
  processes: "Processes",
  containers: "Containers",
  network: "Network",
  disks: "Disks",
  os: "System",
};

/** Which answer is open; the address holds it. */
const PARAMETER = "now";

/** What a host says when it is asked: nothing is asked before somebody wants to see it. */
export function HostNow({ summary }: { summary: HostSummary }) {
  const { search } = useLocation();
  const named = new URLSearchParams(search).get(PARAMETER);
  const open = QUESTIONS.find((question) => question === named);
  const choose = (question: Question) =>
    updateSearch(
      (parameters) => {
        if (question === open) parameters.delete(PARAMETER);
        else parameters.set(PARAMETER, question);
      },
      { replace: true },
    );
  return (
    <section className="card host-now" aria-label="On this host now">
      <div className="host-now-head">
        <h2>On this host now</h2>
        <div className="segments" role="group" aria-label="Ask the host for">
          {QUESTIONS.map((question) => (
            <button
              type="button"
              key={question}
              aria-pressed={question === open}
              onClick={() => choose(question)}
            >
              {NAMES[question]}
            </button>
          ))}
        </div>
      </div>
      {open && !summary.online && (
        <>
          <p className="note" role="status">
            {summary.name} is offline, so it cannot be asked. What it says stands here again once it is
            connected.
          </p>
          <LastAnswer key={open} summary={summary} question={open} />
        </>
      )}
      {open && summary.online && <Answer key={open} summary={summary} question={open} />}
    </section>
  );
}

function Answer({ summary, question }: { summary: HostSummary; question: Question }) {
  const { answer, answeredMs, error, retry } = useAnswer(summary.id, question, summary.online);
  return (
    <>
      {error && <Problem error={error} retry={retry} />}
      {answer === null && !error && <Loading what={NAMES[question].toLowerCase()} />}
      {answer !== null && answeredMs !== null && (
        <div className={`host-answer ${error ? "stale" : ""}`}>
          <AnswerOf question={question} answer={answer} />
          <p className="muted fine">
            {error ? "Last answered at" : "Answered at"} {formatClock(answeredMs)}
          </p>
        </div>
      )}
    </>
  );
}

/** What it said before it went away, if it was asked. */
function LastAnswer({ summary, question }: { summary: HostSummary; question: Question }) {
  const { loading, kept, error, retry } = useLastAnswer(summary.id, question);
  if (loading) return <Loading what="its last answer" />;
  if (error) return <Problem error={error} retry={retry} />;
  if (!kept) return <p className="muted fine">It was not asked for that before.</p>;
  return (
    <div className="host-answer stale">
      <AnswerOf question={question} answer={kept.answer} />
      <p className="muted fine">Last answered at {formatMoment(kept.answered_unix_ms)}</p>
    </div>
  );
}
