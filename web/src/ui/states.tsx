import type { ApiError } from "../api/errors";
import { sentence } from "../format";

/** Something is on its way. */
export function Loading({ what }: { what: string }) {
  return (
    <p className="empty" role="status">
      <span className="spinner" aria-hidden="true" />
      <span className="muted">Loading {what}…</span>
    </p>
  );
}

/** What went wrong, why, and what to do next. */
export function Problem({ error, retry }: { error: ApiError; retry?: () => void }) {
  return (
    <div className="note bad" role="alert">
      <strong>{sentence(error.message)}</strong>
      {error.hint && <span>{sentence(error.hint)}</span>}
      {retry && (
        <button type="button" className="button small" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}
