import type { FleetFrame, HostEvent, HostRow, HostSummary, Welcome } from "../protocol.generated";
import { ClockOffset, MedianDelay } from "./clock-offset";
import { Spark } from "./spark";

/** What the fleet page knows of a host. Mutable: `version` grows with every change that a row shows. */
export interface HostEntry {
  summary: HostSummary;
  row: HostRow | null;
  spark: Spark;
  /** When the newest row arrived, on the browser's clock; null when it was only told of. */
  arrivedMs: number | null;
  /** The server's clock at the newest row or word of the host. */
  heardServerMs: number;
  version: number;
}

/** Seconds in a sparkline: what the eye reads as "just now". */
export const SPARK_SECONDS = 60;
/** A host reports each second; after this long without a row its numbers are shown as old. */
export const LATE_AFTER_MS = 4_000;

type Listener = () => void;
type Schedule = (flush: () => void) => void;

/**
 * The live fleet, outside React. Frames change it at once; listeners hear of it once per animation frame, and a row
 * only of its own host.
 */
export class FleetStore {
  readonly hosts = new Map<string, HostEntry>();
  readonly clock = new ClockOffset();
  readonly delay = new MedianDelay();
  /** Grows when hosts come, go, or change their names or labels. */
  structureVersion = 0;
  loaded = false;
  lastFrameMs: number | null = null;
  missedFrames = 0;

  readonly #hostListeners = new Map<string, Set<Listener>>();
  readonly #structureListeners = new Set<Listener>();
  readonly #touched = new Set<string>();
  readonly #schedule: Schedule;
  #structureTouched = false;
  #scheduled = false;

  constructor(schedule: Schedule) {
    this.#schedule = schedule;
  }

  onHost(id: string, listener: Listener): () => void {
    const listeners = this.#hostListeners.get(id) ?? new Set();
    this.#hostListeners.set(id, listeners);
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#hostListeners.delete(id);
    };
  }

  onStructure = (listener: Listener): (() => void) => {
    this.#structureListeners.add(listener);
    return () => this.#structureListeners.delete(listener);
  };

  structure = (): number => this.structureVersion;

  welcome(message: Welcome, nowMs: number): void {
    this.loaded = true;
    this.lastFrameMs = nowMs;
    this.delay.clear();
    const present = new Set(message.hosts.map((host) => host.id));
    for (const id of this.hosts.keys()) if (!present.has(id)) this.hosts.delete(id);
    for (const host of message.hosts) this.#put(host);
    this.#structureChanged();
  }

  frame(frame: FleetFrame, nowMs: number): void {
    this.lastFrameMs = nowMs;
    this.clock.frame(nowMs, frame.server_unix_ms);
    for (const row of frame.rows) {
      const entry = this.hosts.get(row.id);
      if (!entry) continue;
      this.#show(entry, row);
      entry.arrivedMs = nowMs;
      entry.heardServerMs = frame.server_unix_ms;
      this.delay.add(this.#delayOf(entry, row, nowMs));
    }
  }

  event(event: HostEvent, nowMs: number): void {
    this.lastFrameMs = nowMs;
    if (event.kind === "removed" || !event.host) this.hosts.delete(event.id);
    else this.#put(event.host);
    this.#touch(event.id);
    this.#structureChanged();
  }

  /** Forgets everything, when somebody else may log in. */
  clear(): void {
    this.hosts.clear();
    this.delay.clear();
    this.loaded = false;
    this.lastFrameMs = null;
    this.#structureChanged();
  }

  /** Gives the sparkline of a host its past. */
  fillSpark(id: string, timesMs: readonly number[], cpuUsedPercent: readonly (number | null)[]): void {
    const entry = this.hosts.get(id);
    if (!entry) return;
    entry.spark.fill(timesMs, cpuUsedPercent);
    entry.version += 1;
    this.#touch(id);
  }

  /** Milliseconds since the newest reading of a host was taken, as well as both clocks tell. */
  ageMs(entry: HostEntry, nowMs: number): number {
    if (entry.arrivedMs !== null) return nowMs - entry.arrivedMs;
    const heard = entry.heardServerMs;
    return heard === 0 ? Number.POSITIVE_INFINITY : Math.max(0, this.clock.serverTime(nowMs) - heard);
  }

  #delayOf(entry: HostEntry, row: HostRow, nowMs: number): number {
    const takenServerMs = row.time_unix_ms - entry.summary.clock_offset_ms;
    return Math.max(0, this.clock.serverTime(nowMs) - takenServerMs);
  }

  #put(summary: HostSummary): void {
    const known = this.hosts.get(summary.id);
    const entry: HostEntry = known ?? {
      summary,
      row: null,
      spark: new Spark(SPARK_SECONDS),
      arrivedMs: null,
      heardServerMs: 0,
      version: 0,
    };
    entry.summary = summary;
    entry.heardServerMs = Math.max(entry.heardServerMs, summary.last_seen_unix_ms);
    if (!known) this.hosts.set(summary.id, entry);
    if (summary.latest && (!entry.row || summary.latest.time_unix_ms > entry.row.time_unix_ms)) {
      this.#show(entry, summary.latest);
      entry.arrivedMs = null;
    }
    entry.version += 1;
    this.#touch(summary.id);
  }

  #show(entry: HostEntry, row: HostRow): void {
    entry.row = row;
    entry.spark.push(row.time_unix_ms, row.cpu_used_percent);
    entry.version += 1;
    this.#touch(entry.summary.id);
  }

  #structureChanged(): void {
    this.structureVersion += 1;
    this.#structureTouched = true;
    this.#wake();
  }

  #touch(id: string): void {
    this.#touched.add(id);
    this.#wake();
  }

  #wake(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#schedule(() => this.#flush());
  }

  #flush(): void {
    this.#scheduled = false;
    const touched = [...this.#touched];
    this.#touched.clear();
    if (this.#structureTouched) {
      this.#structureTouched = false;
      for (const listener of [...this.#structureListeners]) listener();
    }
    for (const id of touched) for (const listener of [...(this.#hostListeners.get(id) ?? [])]) listener();
  }
}
