import { useEffect, useMemo, useState } from "react";
import { api } from "../app/services";
import type { DeployEvent } from "../protocol.generated";
import { type DeployMark, deployMarks } from "./deploys";

/** A window that moves is asked for again after this long. */
const REFETCH_MS = 30_000;

const NONE: DeployEvent[] = [];

/** What was deployed to some hosts in a window, as marks for its charts. */
export function useDeployMarks(hosts: readonly string[], fromMs: number, toMs: number): DeployMark[] {
  const [events, setEvents] = useState<DeployEvent[]>(NONE);
  const [from, to] = [slot(fromMs), slot(toMs) + REFETCH_MS];
  useEffect(() => {
    if (!Number.isFinite(from) || !Number.isFinite(to)) return;
    let current = true;
    api.deployEvents(from, to).then(
      (found) => current && setEvents(found),
      // Marks are an addition: charts without them are better than a page with an error.
      () => undefined,
    );
    return () => {
      current = false;
    };
  }, [from, to]);
  const names = hosts.join("\n");
  return useMemo(() => deployMarks(events, names.split("\n"), fromMs, toMs), [events, names, fromMs, toMs]);
}

const slot = (timeMs: number): number => Math.floor(timeMs / REFETCH_MS) * REFETCH_MS;
