import { type ApiError, asApiError, errorFromBody, UNREACHABLE, unreachable } from "./errors";
import type { Account, Grant, ServerStatus } from "./types";

export type SessionState =
  | { phase: "starting" }
  | { phase: "failed"; error: ApiError }
  | { phase: "signed_out"; status: ServerStatus; reason: string | null }
  | { phase: "signed_in"; account: Account };

type Fetch = (input: string, init?: RequestInit) => Promise<Response>;

interface RequestOptions {
  body?: unknown;
  /** Sends the access token, and renews it once when the server says that it has expired. */
  authorized?: boolean;
  accept?: string;
}

/** A token is renewed when this share of its life is over, so that no request meets an expired one. */
const RENEW_AT_SHARE = 0.8;
/** Serialises renewals of all tabs: the refresh token is rotated, and a second use of one looks like theft. */
const RENEW_LOCK = "metric-flow-renew";
const CHANNEL = "metric-flow-session";
const API = "/api/v1";

/** The access token, in memory only, and every request that needs it. */
export class Session {
  #state: SessionState = { phase: "starting" };
  #token: string | null = null;
  #renewal: Promise<boolean> | null = null;
  #renewTimer: ReturnType<typeof setTimeout> | undefined;
  #listeners = new Set<() => void>();
  #channel: BroadcastChannel | null = null;
  readonly #fetch: Fetch;

  constructor(fetch: Fetch = (input, init) => globalThis.fetch(input, init)) {
    this.#fetch = fetch;
    if (typeof BroadcastChannel !== "undefined" && typeof window !== "undefined") {
      this.#channel = new BroadcastChannel(CHANNEL);
      this.#channel.onmessage = (event) => {
        if (event.data === "signed_out" && this.#state.phase === "signed_in")
          void this.#leave("You logged out in another tab.");
      };
    }
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  snapshot = (): SessionState => this.#state;

  /** Signs in with the refresh cookie if there is one. */
  async start(): Promise<void> {
    this.#set({ phase: "starting" });
    try {
      const status = await this.request<ServerStatus>("GET", "/status");
      if (!status.setup_required && (await this.#renew())) return;
      this.#set({ phase: "signed_out", status, reason: null });
    } catch (cause) {
      this.#set({ phase: "failed", error: asApiError(cause) });
    }
  }

  async enter(path: "/login" | "/register" | "/setup", body: Record<string, string>): Promise<void> {
    await this.#accept(await this.request<Grant>("POST", path, { body }));
  }

  /** The other sessions of the account end; this one goes on with the new token in the answer. */
  async changePassword(current: string, next: string): Promise<void> {
    const body = { current_password: current, new_password: next };
    const grant = await this.request<Grant | undefined>("PUT", "/account/password", {
      body,
      authorized: true,
    });
    if (grant) await this.#accept(grant);
  }

  async logOut(): Promise<void> {
    await this.request("POST", "/session/logout", { authorized: true }).catch((cause: unknown) => {
      // A session that the server no longer knows is as good as logged out.
      if (asApiError(cause).status !== 401) throw cause;
    });
    this.#channel?.postMessage("signed_out");
    await this.#leave(null);
  }

  async request<T>(method: string, path: string, options: RequestOptions = {}): Promise<T> {
    const response = await this.fetch(method, path, options);
    if (response.status === 204) return undefined as T;
    const text = await response.text();
    return (text === "" ? undefined : JSON.parse(text)) as T;
  }

  /** Like `request`, but gives the answer itself, for downloads. */
  async fetch(method: string, path: string, options: RequestOptions = {}): Promise<Response> {
    const response = await this.#send(method, path, options);
    if (response.ok) return response;
    const error = await errorOf(response);
    // A wrong password is no expired token: sending it again would count as a second attempt.
    const expired = error.status === 401 && error.code !== "wrong_credentials";
    if (!expired || !options.authorized || this.#state.phase !== "signed_in") throw error;
    if (!(await this.#renew())) {
      await this.#leave("Your session has ended. Log in again.");
      throw error;
    }
    const again = await this.#send(method, path, options);
    if (again.ok) return again;
    throw await errorOf(again);
  }

  async #send(method: string, path: string, options: RequestOptions): Promise<Response> {
    const headers: Record<string, string> = { accept: options.accept ?? "application/json" };
    if (options.body !== undefined) headers["content-type"] = "application/json";
    if (options.authorized && this.#token) headers.authorization = `Bearer ${this.#token}`;
    const body = options.body === undefined ? null : JSON.stringify(options.body);
    try {
      return await this.#fetch(API + path, { method, headers, body, credentials: "same-origin" });
    } catch {
      throw unreachable();
    }
  }

  /** Renews the access token; false when the server says that there is no session. */
  #renew(): Promise<boolean> {
    this.#renewal ??= this.#renewUnderLock().finally(() => {
      this.#renewal = null;
    });
    return this.#renewal;
  }

  async #renewUnderLock(): Promise<boolean> {
    const run = async (): Promise<boolean> => {
      try {
        await this.#accept(await this.request<Grant>("POST", "/session/refresh"));
        return true;
      } catch (cause) {
        const error = asApiError(cause);
        if (passes(error.status)) throw error;
        return false;
      }
    };
    // Plain HTTP on another machine is not a secure context and has no locks.
    const locks = globalThis.navigator?.locks;
    return locks ? await locks.request(RENEW_LOCK, run) : await run();
  }

  async #accept(grant: Grant): Promise<void> {
    this.#token = grant.access_token;
    clearTimeout(this.#renewTimer);
    this.#renewTimer = setTimeout(
      () => void this.#renew().catch(() => undefined),
      grant.expires_in_seconds * 1000 * RENEW_AT_SHARE,
    );
    if (this.#state.phase === "signed_in") return;
    const account = grant.account ?? (await this.request<Account>("GET", "/account", { authorized: true }));
    this.#set({ phase: "signed_in", account });
  }

  async #leave(reason: string | null): Promise<void> {
    this.#token = null;
    clearTimeout(this.#renewTimer);
    const fallback: ServerStatus = { setup_required: false, registration_open: false, version: "" };
    this.#set({ phase: "signed_out", status: fallback, reason });
    const status = await this.request<ServerStatus>("GET", "/status").catch(() => fallback);
    if (this.#state.phase === "signed_out") this.#set({ phase: "signed_out", status, reason });
  }

  #set(state: SessionState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}

/** Whether a refusal says nothing about the session: too much at once, too slow, or a server in trouble. */
const passes = (status: number): boolean =>
  status === UNREACHABLE || status === 408 || status === 429 || status >= 500;

async function errorOf(response: Response): Promise<ApiError> {
  return errorFromBody(response.status, await response.json().catch(() => null));
}
