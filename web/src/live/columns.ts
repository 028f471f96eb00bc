import type { Sample } from "../protocol.generated";
import { counterRate, eachCounter, eachGauge } from "./sample-series";

export type Values = (number | null)[];

/** Seconds of the live stream that are kept: the longest live chart. */
export const LIVE_SECONDS = 15 * 60;
/** A distance of two samples above this is a hole in the line, not a slow second. */
const HOLE_MS = 2_500;

/** Series of one host from the live stream, as columns over one time axis, with the names that history uses. */
export class LiveColumns {
  readonly timesMs: number[] = [];
  readonly series = new Map<string, Values>();
  version = 0;
  #last: Sample | null = null;
  #epoch = "";

  /** Takes samples in ascending order; those that are not newer than what is there are left out. */
  add(epoch: string, samples: readonly Sample[]): void {
    if (epoch !== this.#epoch) this.#last = null;
    this.#epoch = epoch;
    for (const sample of samples) this.#addOne(sample);
    this.#trim();
    this.version += 1;
  }

  #addOne(sample: Sample): void {
    const newest = this.timesMs[this.timesMs.length - 1];
    if (newest !== undefined && sample.time_unix_ms <= newest) return;
    if (newest !== undefined && sample.time_unix_ms - newest > HOLE_MS) this.#open(newest + 1000);
    this.#open(sample.time_unix_ms);
    const row = this.timesMs.length - 1;
    eachGauge(sample, (name, value) => this.#set(name, row, value));
    const before = this.#last;
    if (before && sample.time_unix_ms - before.time_unix_ms <= HOLE_MS) this.#rates(before, sample, row);
    this.#last = sample;
  }

  #rates(before: Sample, sample: Sample, row: number): void {
    const old = new Map<string, number>();
    eachCounter(before, (name, total) => old.set(name, total));
    const elapsedMs = sample.time_unix_ms - before.time_unix_ms;
    eachCounter(sample, (name, total) => {
      const rate = counterRate(old.get(name), total, elapsedMs);
      if (rate !== null) this.#set(name, row, rate);
    });
  }

  /** A new row, empty in each column. */
  #open(timeMs: number): void {
    this.timesMs.push(timeMs);
    for (const values of this.series.values()) values.push(null);
  }

  #set(name: string, row: number, value: number): void {
    let values = this.series.get(name);
    if (!values) {
      values = new Array<number | null>(this.timesMs.length).fill(null);
      this.series.set(name, values);
    }
    values[row] = value;
  }

  #trim(): void {
    const newest = this.timesMs[this.timesMs.length - 1];
    if (newest === undefined) return;
    const oldest = newest - LIVE_SECONDS * 1000;
    const surplus = this.timesMs.findIndex((time) => time >= oldest);
    if (surplus <= 0) return;
    this.timesMs.splice(0, surplus);
    for (const values of this.series.values()) values.splice(0, surplus);
  }
}
