import { useSyncExternalStore } from "react";
import { Api } from "../api/client";
import { Session, type SessionState } from "../api/session";
import { DetailStore } from "../live/detail-store";
import { FleetStore, SPARK_SECONDS } from "../live/fleet-store";
import type { LinkState } from "../live/link";
import { LiveClient } from "../live/live-client";
import { SparkBackfill } from "../live/spark-backfill";

/** The parts that live as long as the page, wired once. */
export const session = new Session();
export const api = new Api(session);
export const fleet = new FleetStore((flush) => requestAnimationFrame(flush));
export const details = new DetailStore();
export const sparkBackfill = new SparkBackfill(fleet, (id, fromMs, toMs) =>
  api.history({ hostId: id, series: ["cpu_used_percent"], fromMs, toMs, points: 2 * SPARK_SECONDS }),
);
export const live = new LiveClient({
  fleet,
  details,
  fetchTicket: async () => (await api.ticket()).ticket,
});

/** The live link exists exactly while somebody is signed in. */
let wasSignedIn = false;
session.subscribe(() => {
  const signedIn = session.snapshot().phase === "signed_in";
  if (signedIn === wasSignedIn) return;
  wasSignedIn = signedIn;
  if (signedIn) live.start();
  else {
    live.stop();
    sparkBackfill.clear();
  }
});

export const useSession = (): SessionState => useSyncExternalStore(session.subscribe, session.snapshot);
export const useLink = (): LinkState => useSyncExternalStore(live.subscribe, live.snapshot);
export const useFleetStructure = (): number => useSyncExternalStore(fleet.onStructure, fleet.structure);
export const useDetailVersion = (): number => useSyncExternalStore(details.subscribe, details.snapshot);
