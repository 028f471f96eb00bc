import { useEffect, useRef, useState } from "react";
import { api } from "../app/services";
import type { Question } from "./answers";
import { Poll, type Polled } from "./poll";

/** How long after an answer the host is asked again. An answer about processes takes it half a second. */
const ASK_EVERY_MS = 3_000;

const NOTHING: Polled<unknown> = { answer: null, answeredMs: null, error: null };

/** Asks a host while the page is looked at and the host is online. */
export function useAnswer(hostId: string, question: Question, online: boolean) {
  const [state, setState] = useState(NOTHING);
  const again = useRef(() => {});
  useEffect(() => {
    setState(NOTHING);
    if (!online) return;
    const poll = new Poll(
      () => api.ask(hostId, question),
      ASK_EVERY_MS,
      setState,
      () => !document.hidden,
    );
    again.current = poll.now;
    document.addEventListener("visibilitychange", poll.now);
    poll.now();
    return () => {
      document.removeEventListener("visibilitychange", poll.now);
      poll.end();
    };
  }, [hostId, question, online]);
  return { ...state, retry: () => again.current() };
}
