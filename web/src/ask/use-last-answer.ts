import { useEffect, useState } from "react";
import { type ApiError, asApiError } from "../api/errors";
import type { LastAnswer } from "../api/types";
import { api } from "../app/services";
import type { Question } from "./answers";

interface State {
  loading: boolean;
  kept: LastAnswer | null;
  error: ApiError | null;
}

const LOADING: State = { loading: true, kept: null, error: null };

/** What a host that is away answered last; null where it was never asked that. */
export function useLastAnswer(hostId: string, question: Question) {
  const [state, setState] = useState(LOADING);
  const [attempt, setAttempt] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: an attempt asks again
  useEffect(() => {
    let current = true;
    setState(LOADING);
    api.lastAnswer(hostId, question).then(
      (kept) => current && setState({ loading: false, kept, error: null }),
      (cause: unknown) => current && setState({ loading: false, kept: null, error: asApiError(cause) }),
    );
    return () => {
      current = false;
    };
  }, [hostId, question, attempt]);
  return { ...state, retry: () => setAttempt((count) => count + 1) };
}
