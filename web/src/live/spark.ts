/** A ring of the newest readings of one host, for its sparkline. */
export class Spark {
  readonly #values: Float32Array;
  #next = 0;
  #length = 0;
  #lastSecond = 0;

  constructor(capacity: number) {
    this.#values = new Float32Array(capacity);
  }

  /** Adds a reading; a second one of the same second replaces the first, and missed seconds stay empty. */
  push(timeMs: number, value: number): void {
    const second = Math.floor(timeMs / 1000);
    const missed = this.#length === 0 ? 0 : second - this.#lastSecond;
    if (missed < 0) return;
    if (missed === 0 && this.#length > 0) {
      this.#next = (this.#next + this.#values.length - 1) % this.#values.length;
      this.#length -= 1;
    }
    for (let empty = 1; empty < Math.min(missed, this.#values.length + 1); empty += 1)
      this.#append(Number.NaN);
    this.#append(value);
    this.#lastSecond = second;
  }

  /** Puts older readings before those that came live; times ascend. */
  fill(timesMs: readonly number[], values: readonly (number | null)[]): void {
    const live = Array.from({ length: this.#length }, (_, index) => this.at(index));
    const newest = this.#lastSecond;
    const oldest = live.length === 0 ? Number.POSITIVE_INFINITY : newest - live.length + 1;
    this.#length = 0;
    timesMs.forEach((timeMs, index) => {
      const value = values[index];
      if (value != null && Math.floor(timeMs / 1000) < oldest) this.push(timeMs, value);
    });
    live.forEach((value, index) => {
      if (!Number.isNaN(value)) this.push((oldest + index) * 1000, value);
    });
  }

  get length(): number {
    return this.#length;
  }

  get capacity(): number {
    return this.#values.length;
  }

  /** The reading `index` places after the oldest; NaN where a second is missing. */
  at(index: number): number {
    const start = this.#next - this.#length + this.#values.length;
    return this.#values[(start + index) % this.#values.length] ?? Number.NaN;
  }

  #append(value: number): void {
    this.#values[this.#next] = value;
    this.#next = (this.#next + 1) % this.#values.length;
    this.#length = Math.min(this.#length + 1, this.#values.length);
  }
}
