import { useSyncExternalStore } from "react";

/** One timer for everything on the page that shows an age. */
const listeners = new Set<() => void>();
let nowMs = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    nowMs = Date.now();
    for (const each of [...listeners]) each();
  }, 1000);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** The time now, renewed each second. */
export function useSeconds(): number {
  return useSyncExternalStore(subscribe, () => nowMs);
}

/** Something derived from the time now; the component renders only when it changes. */
export function useDerivedEachSecond<T extends string | number | boolean | null>(
  derive: (nowMs: number) => T,
): T {
  return useSyncExternalStore(subscribe, () => derive(nowMs));
}
