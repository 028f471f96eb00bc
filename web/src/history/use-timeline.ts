import { useEffect, useMemo, useRef, useState } from "react";
import { type ApiError, asApiError } from "../api/errors";
import { useSeconds } from "../app/seconds";
import { api, details, fleet, useDetailVersion, useLink } from "../app/services";
import { deriveSeries } from "../charts/specs";
import type { History } from "../protocol.generated";
import { joinLive, type Timeline } from "./merge";
import { type Range, ROLLING, windowOf } from "./range";

/** About one point for two pixels of a wide chart. */
export const POINTS = 720;
/** A point for each second of the live window, and room for steps that its ends cut. */
const LIVE_POINTS = 910;
/** Rolling history is asked for again after this long: late samples fill holes. */
const REFETCH_MS = 30_000;
/** Series that no chart draws. */
const NOT_DRAWN = /^(uptime_seconds|clock_mhz|interface_\w+_(packets|errors)_per_second)/;

export interface TimelineState {
  timeline: Timeline;
  fromMs: number;
  toMs: number;
  loading: boolean;
  error: ApiError | null;
  retry: () => void;
  /** What was asked of the store, for a download of the same. */
  series: string[];
}

interface Loaded {
  key: string;
  history: History | null;
  series: string[];
  error: ApiError | null;
}

/** Stored history of one host joined with its live stream, for the range of the page. */
export function useTimeline(
  hostId: string,
  range: Range,
  wanted?: (series: string) => boolean,
): TimelineState {
  useEffect(() => details.open([hostId]), [hostId]);
  const [attempt, setAttempt] = useState(0);
  const [loaded, setLoaded] = useState<Loaded>({ key: "", history: null, series: [], error: null });
  const linkOpen = useLink().phase === "open";
  const second = useSeconds();
  const rangeKey = range.kind === "rolling" ? range.name : `${range.fromMs}-${range.toMs}`;
  const key = `${hostId} ${rangeKey}`;
  const turn = range.kind === "rolling" ? Math.floor(second / refetchMs(ROLLING[range.name].lengthMs)) : 0;
  const filter = useRef(wanted);
  filter.current = wanted;

  // biome-ignore lint/correctness/useExhaustiveDependencies: `key` stands for the range; the rest asks again
  useEffect(() => {
    let current = true;
    load(hostId, range, filter.current).then(
      (answer) => current && setLoaded({ key, error: null, ...answer }),
      (cause: unknown) =>
        // What is on the screen stays when only its renewal failed.
        current &&
        setLoaded((before) => ({
          ...(before.key === key ? before : { history: null, series: [] }),
          key,
          error: asApiError(cause),
        })),
    );
    return () => {
      current = false;
    };
  }, [key, turn, linkOpen, attempt]);

  const detailVersion = useDetailVersion();
  const history = loaded.key === key ? loaded.history : null;
  const stepMs = Math.max(1000, history?.step_ms ?? 1000);
  const edge = Math.floor(hostNow(hostId, second) / Math.min(stepMs, 10_000)) * Math.min(stepMs, 10_000);
  const slot = stepMs > 1000 ? edge : detailVersion;
  const { fromMs, toMs } = windowOf(range, edge);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the live columns are mutable; `slot` says when to look
  const timeline = useMemo(() => {
    const joined = joinLive(history, details.columns(hostId) ?? NO_STREAM, fromMs, toMs + stepMs);
    deriveSeries(joined.series);
    return joined;
  }, [hostId, history, fromMs, toMs, slot]);

  return {
    timeline,
    fromMs,
    toMs,
    loading: loaded.key !== key,
    error: loaded.key === key ? loaded.error : null,
    retry: () => setAttempt((count) => count + 1),
    series: loaded.series,
  };
}

/** Not before a step of the chart has gone by: until then there is nothing new to see. */
const refetchMs = (lengthMs: number): number => Math.max(REFETCH_MS, lengthMs / POINTS);

const NO_STREAM = { timesMs: [], series: new Map() };

/** Readings carry the host's own time, so the window ends at the host's now. */
function hostNow(hostId: string, nowMs: number): number {
  return fleet.clock.serverTime(nowMs) + (fleet.hosts.get(hostId)?.summary.clock_offset_ms ?? 0);
}

/** A host of which the store holds nothing yet has no past, and that is no error. */
async function seriesNames(hostId: string, fromMs: number, toMs: number): Promise<string[]> {
  try {
    return await api.seriesNames(hostId, fromMs, toMs);
  } catch (cause) {
    if (asApiError(cause).status === 404) return [];
    throw cause;
  }
}

/** A window that begins and ends within steps would need one more of them, or longer ones. */
function wholeSeconds({ fromMs, toMs }: { fromMs: number; toMs: number }) {
  return { fromMs: Math.floor(fromMs / 1000) * 1000, toMs: Math.ceil(toMs / 1000) * 1000 };
}

async function load(hostId: string, range: Range, wanted: ((series: string) => boolean) | undefined) {
  const { fromMs, toMs } = wholeSeconds(windowOf(range, hostNow(hostId, Date.now())));
  const names = await seriesNames(hostId, fromMs, toMs);
  const series = names.filter((name) => !NOT_DRAWN.test(name) && (wanted?.(name) ?? true));
  if (series.length === 0) return { history: null, series };
  const points = range.kind === "rolling" && range.name === "live" ? LIVE_POINTS : POINTS;
  return { history: await api.history({ hostId, series, fromMs, toMs, points }), series };
}
