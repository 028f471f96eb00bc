import { useSyncExternalStore } from "react";
import { Api } from "../api/client";
import { Session, type SessionState } from "../api/session";
import { DetailStore } from "../live/detail-store";
import { FleetStore } from "../live/fleet-store";
import type { LinkState } from "../live/link";
import { LiveClient } from "../live/live-client";

/** The parts that live as long as the page, wired once. */
export const session = new Session();
export const api = new Api(session);
export const fleet = new FleetStore((flush) => requestAnimationFrame(flush));
export const details = new DetailStore();
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
  else live.stop();
});

export const useSession = (): SessionState => useSyncExternalStore(session.subscribe, session.snapshot);
export const useLink = (): LinkState => useSyncExternalStore(live.subscribe, live.snapshot);
export const useFleetStructure = (): number => useSyncExternalStore(fleet.onStructure, fleet.structure);
export const useDetailVersion = (): number => useSyncExternalStore(details.subscribe, details.snapshot);
