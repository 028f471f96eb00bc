/** What the API said when it refused: a stable code, a sentence, and what to do about it. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly hint: string | null = null,
  ) {
    super(message);
    this.name = "ApiError";
  }
}

/** Status of an error that never reached a server. */
export const UNREACHABLE = 0;

/** Turns the body of a refused answer into an error; the body may be anything at all. */
export function errorFromBody(status: number, body: unknown): ApiError {
  const error = isRecord(body) && isRecord(body.error) ? body.error : {};
  const code = typeof error.code === "string" ? error.code : `http_${status}`;
  const message =
    typeof error.message === "string" ? error.message : `The server refused the request (status ${status}).`;
  return new ApiError(status, code, message, typeof error.hint === "string" ? error.hint : null);
}

export function unreachable(): ApiError {
  return new ApiError(
    UNREACHABLE,
    "unreachable",
    "The server cannot be reached.",
    "Check that the socket-server is running and that this machine is on its network.",
  );
}

/** Any thrown value as an error with words. */
export function asApiError(cause: unknown): ApiError {
  if (cause instanceof ApiError) return cause;
  return new ApiError(UNREACHABLE, "unexpected", cause instanceof Error ? cause.message : String(cause));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
