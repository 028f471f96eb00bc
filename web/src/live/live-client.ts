import type { LiveMessage, ViewerMessage } from "../protocol.generated";
import type { DetailStore } from "./detail-store";
import type { FleetStore } from "./fleet-store";
import { type LinkEffect, type LinkEvent, type LinkState, STOPPED, step } from "./link";

/** The newest version of the protocol that this build understands. */
const PROTOCOL_MAJOR = 1;
const SUBPROTOCOL = "metric-flow.live.v1";
/** With a host online a frame comes each second; this much silence means that the connection is dead. */
const SILENT_AFTER_MS = 20_000;
const WATCH_EVERY_MS = 2_000;
/** An attempt that is not welcomed by then has failed. */
const WELCOME_WITHIN_MS = 15_000;

interface Parts {
  fleet: FleetStore;
  details: DetailStore;
  fetchTicket: () => Promise<string>;
}

/** Runs the link's state machine on a real WebSocket and hands the messages to the stores. */
export class LiveClient {
  #link: LinkState = STOPPED;
  #socket: WebSocket | null = null;
  #openedMs = 0;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #watchTimer: ReturnType<typeof setInterval> | undefined;
  readonly #listeners = new Set<() => void>();
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
    parts.details.onOpenHosts = () => this.#sendOpenHosts();
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  snapshot = (): LinkState => this.#link;

  start(): void {
    this.#watchTimer ??= setInterval(() => this.#watch(), WATCH_EVERY_MS);
    window.addEventListener("online", this.retryNow);
    this.#handle({ type: "start" });
  }

  stop(): void {
    clearInterval(this.#watchTimer);
    this.#watchTimer = undefined;
    window.removeEventListener("online", this.retryNow);
    this.#handle({ type: "stop" });
    this.#parts.fleet.clear();
    this.#parts.details.clear();
  }

  retryNow = (): void => this.#handle({ type: "retry" });

  #handle(event: LinkEvent): void {
    const { state, effects } = step(this.#link, event, Date.now(), Math.random());
    const changed = state !== this.#link;
    this.#link = state;
    for (const effect of effects) this.#run(effect);
    if (changed) for (const listener of [...this.#listeners]) listener();
  }

  #run(effect: LinkEffect): void {
    switch (effect.type) {
      case "fetch_ticket":
        this.#parts.fetchTicket().then(
          (ticket) => this.#handle({ type: "ticket", ticket }),
          (cause: unknown) =>
            this.#handle({
              type: "ticket_failed",
              reason: cause instanceof Error ? cause.message : String(cause),
            }),
        );
        break;
      case "open":
        this.#open(effect.ticket);
        break;
      case "close":
        this.#drop();
        break;
      case "retry_after":
        clearTimeout(this.#retryTimer);
        this.#retryTimer = setTimeout(() => this.#handle({ type: "retry" }), effect.delayMs);
        break;
      case "cancel_retry":
        clearTimeout(this.#retryTimer);
    }
  }

  #open(ticket: string): void {
    const url = new URL("/api/v1/live", window.location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    url.searchParams.set("ticket", ticket);
    const socket = new WebSocket(url, SUBPROTOCOL);
    this.#socket = socket;
    this.#openedMs = Date.now();
    socket.onmessage = (event) => {
      if (this.#socket === socket && typeof event.data === "string") this.#message(event.data);
    };
    socket.onclose = (event) => {
      if (this.#socket !== socket) return;
      this.#socket = null;
      this.#handle({ type: "closed", reason: closeReason(event.code, event.reason) });
    };
  }

  /** Lets go of a socket without hearing from it again. */
  #drop(): void {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close(1000);
  }

  #message(text: string): void {
    const message = parse(text);
    if (!message) return;
    const now = Date.now();
    const { fleet, details } = this.#parts;
    switch (message.type) {
      case "welcome":
        if (message.protocol_major > PROTOCOL_MAJOR) {
          this.#drop();
          this.#handle({ type: "closed", reason: "The server is newer than this page: reload the page." });
          break;
        }
        fleet.clock.opened(this.#openedMs, now, message.server_unix_ms);
        fleet.welcome(message, now);
        this.#handle({ type: "welcome" });
        this.#sendOpenHosts();
        break;
      case "fleet":
        fleet.frame(message, now);
        break;
      case "detail":
        fleet.lastFrameMs = now;
        details.detail(message);
        break;
      case "event":
        fleet.event(message, now);
        break;
      case "notice":
        fleet.missedFrames += message.missed_frames;
    }
  }

  #sendOpenHosts(): void {
    if (this.#socket?.readyState !== WebSocket.OPEN || this.#link.phase !== "open") return;
    const message: ViewerMessage = { type: "subscribe", open_hosts: this.#parts.details.openHosts() };
    this.#socket.send(JSON.stringify(message));
  }

  #watch(): void {
    const { fleet } = this.#parts;
    const now = Date.now();
    if (this.#link.phase === "connecting" && now - this.#openedMs > WELCOME_WITHIN_MS) {
      this.#drop();
      this.#handle({ type: "closed", reason: "The server did not answer in time." });
      return;
    }
    const expectsFrames = [...fleet.hosts.values()].some((entry) => entry.summary.online);
    if (expectsFrames && fleet.lastFrameMs !== null && now - fleet.lastFrameMs > SILENT_AFTER_MS) {
      this.#handle({ type: "silent" });
    }
  }
}

/** A message that this build does not understand is skipped, as the protocol asks. */
function parse(text: string): LiveMessage | null {
  try {
    return JSON.parse(text) as LiveMessage;
  } catch {
    return null;
  }
}

function closeReason(code: number, reason: string): string {
  if (reason) return reason;
  if (code === 1001) return "The server is shutting down or restarting.";
  return code === 1006 ? "The connection was lost." : `The server closed the connection (code ${code}).`;
}
