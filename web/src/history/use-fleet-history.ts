import { useEffect, useState } from "react";
import { type ApiError, asApiError } from "../api/errors";
import type { FleetHistory } from "../api/types";
import { useSeconds } from "../app/seconds";
import { api, fleet, useLink } from "../app/services";
import { FLEET_PARTS } from "./fleet-history";
import { type Range, ROLLING, windowOf } from "./range";

/** Each point is a question to every host's past: fewer than a chart of one host has. */
const POINTS = 240;
/** Rolling history is asked for again after this long at least. */
const REFETCH_MS = 30_000;

export interface FleetHistoryState {
  answers: readonly FleetHistory[];
  fromMs: number;
  toMs: number;
  loading: boolean;
  error: ApiError | null;
  retry: () => void;
}

interface Loaded {
  key: string;
  answers: readonly FleetHistory[];
  fromMs: number;
  toMs: number;
  error: ApiError | null;
}

/** The fleet's stored past for the range of the page, whole or by a label. */
export function useFleetHistory(range: Range, by: string): FleetHistoryState {
  const [attempt, setAttempt] = useState(0);
  const [loaded, setLoaded] = useState<Loaded>({ key: "", answers: [], fromMs: 0, toMs: 0, error: null });
  const linkOpen = useLink().phase === "open";
  const second = useSeconds();
  const key = `${range.kind === "rolling" ? range.name : `${range.fromMs}-${range.toMs}`} ${by}`;
  const turn =
    range.kind === "rolling"
      ? Math.floor(second / Math.max(REFETCH_MS, ROLLING[range.name].lengthMs / POINTS))
      : 0;

  // biome-ignore lint/correctness/useExhaustiveDependencies: `key` stands for range and label; the rest asks again
  useEffect(() => {
    let current = true;
    const { fromMs, toMs } = windowOf(range, fleet.clock.serverTime(Date.now()));
    const window = { by, fromMs, toMs, points: POINTS };
    Promise.all(FLEET_PARTS.map((part) => api.fleetHistory({ ...part, ...window }))).then(
      (answers) => current && setLoaded({ key, answers, fromMs, toMs, error: null }),
      (cause: unknown) =>
        current &&
        setLoaded((before) => ({
          // What is on the screen stays when only its renewal failed.
          ...(before.key === key ? before : { key, answers: [], fromMs, toMs }),
          error: asApiError(cause),
        })),
    );
    return () => {
      current = false;
    };
  }, [key, turn, linkOpen, attempt]);

  const isCurrent = loaded.key === key;
  const window = windowOf(range, fleet.clock.serverTime(second));
  return {
    answers: isCurrent ? loaded.answers : NONE,
    fromMs: isCurrent ? loaded.fromMs : window.fromMs,
    toMs: isCurrent ? loaded.toMs : window.toMs,
    loading: !isCurrent,
    error: isCurrent ? loaded.error : null,
    retry: () => setAttempt((count) => count + 1),
  };
}

const NONE: readonly FleetHistory[] = [];
