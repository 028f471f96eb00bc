import { useSyncExternalStore } from "react";

export interface Location {
  path: string;
  search: string;
  hash: string;
}

/** Marks an entry of the browser's history that is another view of the page before it. */
const VIEW_CHANGED = "view";
const listeners = new Set<() => void>();
let current = read();

function read(): Location {
  const { pathname, search, hash } = window.location;
  return { path: pathname, search, hash };
}

function changed(): void {
  current = read();
  for (const listener of [...listeners]) listener();
}

window.addEventListener("popstate", changed);
window.addEventListener("hashchange", changed);

export function navigate(to: string, options: { replace?: boolean } = {}): void {
  if (options.replace) window.history.replaceState(null, "", to);
  else window.history.pushState(null, "", to);
  changed();
  if (!options.replace) window.scrollTo(0, 0);
}

/** Changes the view that the address names, without a new page. */
export function updateSearch(
  change: (search: URLSearchParams) => void,
  options: { replace?: boolean } = {},
): void {
  const search = new URLSearchParams(window.location.search);
  change(search);
  // Commas stay readable in an address that people share.
  const text = search.toString().replaceAll("%2C", ",");
  const to = window.location.pathname + (text ? `?${text}` : "");
  if (options.replace) window.history.replaceState(window.history.state, "", to);
  else window.history.pushState(VIEW_CHANGED, "", to);
  changed();
}

/** Whether the browser's way back leads to another view of this page. */
export const canGoBack = (): boolean => window.history.state === VIEW_CHANGED;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useLocation(): Location {
  return useSyncExternalStore(subscribe, () => current);
}

/** Path of a host's page. */
export const hostPath = (id: string): string => `/hosts/${encodeURIComponent(id)}`;

/** A part of a path as it was meant; nothing when it is not well-formed, as in a link that was cut off. */
function decoded(part: string): string | null {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}

/** The page that a path names. */
export type Route =
  | { page: "fleet" }
  | { page: "host"; id: string }
  | { page: "compare" }
  | { page: "keys" }
  | { page: "account" }
  | { page: "setup" }
  | { page: "register" }
  | { page: "login" }
  | { page: "missing" };

export function routeOf(path: string): Route {
  const [first = "", second, ...rest] = path.split("/").filter(Boolean);
  if (first === "") return { page: "fleet" };
  if (first === "hosts" && second && rest.length === 0) {
    const id = decoded(second);
    return id === null ? { page: "missing" } : { page: "host", id };
  }
  if (second === undefined) {
    for (const page of ["compare", "keys", "account", "setup", "register", "login"] as const) {
      if (first === page) return { page };
    }
  }
  return { page: "missing" };
}
