import { joinParts } from "../history/parts";
import type { DeployEvent, DeployEvents, History, HostSummary } from "../protocol.generated";
import { asApiError } from "./errors";
import type { Session } from "./session";
import type {
  ApiKey,
  CreatedKey,
  FleetAggregate,
  FleetHistory,
  HostChange,
  LastAnswer,
  Ticket,
} from "./types";

export interface HistoryQuery {
  hostId: string;
  series: readonly string[];
  fromMs: number;
  toMs: number;
  points: number;
}

export interface FleetQuery {
  series: string;
  aggregate: FleetAggregate;
  /** Name of a label: one group for each of its values. */
  by: string;
  fromMs: number;
  toMs: number;
  points: number;
}

/** Keeps each history request below common limits on the length of an address. */
const SERIES_PER_REQUEST = 32;

/** The HTTP API by its verbs. */
export class Api {
  constructor(readonly session: Session) {}

  async keys(): Promise<ApiKey[]> {
    const answer = await this.#get<ApiKey[] | { keys: ApiKey[] }>("/keys");
    return Array.isArray(answer) ? answer : answer.keys;
  }

  createKey(label: string, expiresInDays: number | null): Promise<CreatedKey> {
    const body = expiresInDays === null ? { label } : { label, expires_in_days: expiresInDays };
    return this.#change("POST", "/keys", body);
  }

  revokeKey = (id: string): Promise<void> => this.#change("DELETE", `/keys/${encodeURIComponent(id)}`);

  rotateKey = (id: string): Promise<CreatedKey> =>
    this.#change("POST", `/keys/${encodeURIComponent(id)}/rotate`);

  changeHost = (id: string, change: HostChange): Promise<HostSummary | undefined> =>
    this.#change("PATCH", `/hosts/${encodeURIComponent(id)}`, change);

  /** A question to the host itself; what it answers is the host's own. */
  ask = (id: string, question: string): Promise<unknown> =>
    this.#get<unknown>(`/hosts/${encodeURIComponent(id)}/ask/${question}`);

  /** What a host answered last; null where it was never asked that. */
  async lastAnswer(id: string, question: string): Promise<LastAnswer | null> {
    try {
      return await this.#get<LastAnswer>(`/hosts/${encodeURIComponent(id)}/answers/${question}`);
    } catch (cause) {
      if (asApiError(cause).status === 404) return null;
      throw cause;
    }
  }

  deleteHost = (id: string): Promise<void> => this.#change("DELETE", `/hosts/${encodeURIComponent(id)}`);

  ticket = (): Promise<Ticket> => this.#change("POST", "/live/ticket");

  /** Names of the series that the store holds for a host in a stretch of time. */
  async seriesNames(hostId: string, fromMs: number, toMs: number): Promise<string[]> {
    const answer = await this.#get<string[] | { series: (string | { name: string })[] }>(
      `/hosts/${encodeURIComponent(hostId)}/series?from=${Math.round(fromMs)}&to=${Math.round(toMs)}`,
    );
    const list = Array.isArray(answer) ? answer : answer.series;
    return list.map((entry) => (typeof entry === "string" ? entry : entry.name));
  }

  /** One history for any number of series; long lists become several requests. */
  async history(query: HistoryQuery): Promise<History | null> {
    const chunks: string[][] = [];
    for (let at = 0; at < query.series.length; at += SERIES_PER_REQUEST) {
      chunks.push(query.series.slice(at, at + SERIES_PER_REQUEST));
    }
    const parts = await Promise.all(chunks.map((series) => this.#historyPart({ ...query, series })));
    return joinParts(parts.flat());
  }

  /** A series that came or went may have nothing in this stretch of time: the others are still wanted. */
  async #historyPart(query: HistoryQuery): Promise<History[]> {
    try {
      return [await this.#get<History>(historyPath(query))];
    } catch (cause) {
      const { code } = asApiError(cause);
      const { series } = query;
      if (!code.includes("unknown_series")) throw cause;
      if (series.length <= 1) return [];
      const middle = series.length >> 1;
      const halves = [series.slice(0, middle), series.slice(middle)];
      return (await Promise.all(halves.map((half) => this.#historyPart({ ...query, series: half })))).flat();
    }
  }

  /** What rollouts did in a stretch of time, oldest first. */
  async deployEvents(fromMs: number, toMs: number): Promise<DeployEvent[]> {
    const path = `/deploy-events?from=${Math.round(fromMs)}&to=${Math.round(toMs)}`;
    return (await this.#get<DeployEvents>(path)).events;
  }

  fleetHistory = (query: FleetQuery): Promise<FleetHistory> =>
    this.#get<FleetHistory>(fleetHistoryPath(query));

  async historyCsv(query: HistoryQuery): Promise<Blob> {
    const path = `${historyPath(query)}&format=csv`;
    return (await this.session.fetch("GET", path, { authorized: true, accept: "text/csv" })).blob();
  }

  #get<T>(path: string): Promise<T> {
    return this.session.request<T>("GET", path, { authorized: true });
  }

  #change<T>(method: string, path: string, body?: unknown): Promise<T> {
    return this.session.request<T>(method, path, { authorized: true, body });
  }
}

export function historyPath({ hostId, series, fromMs, toMs, points }: HistoryQuery): string {
  const search = new URLSearchParams({
    series: series.join(","),
    from: String(Math.round(fromMs)),
    to: String(Math.round(toMs)),
    points: String(points),
  });
  return `/hosts/${encodeURIComponent(hostId)}/history?${search}`;
}

export function fleetHistoryPath({ series, aggregate, by, fromMs, toMs, points }: FleetQuery): string {
  const search = new URLSearchParams({
    series,
    aggregate,
    from: String(Math.round(fromMs)),
    to: String(Math.round(toMs)),
    points: String(points),
    ...(by ? { by } : {}),
  });
  return `/fleet/history?${search}`;
}
