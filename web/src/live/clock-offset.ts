/**
 * Estimates how far the browser's clock is ahead of the server's, so that a delay can be measured across both.
 *
 * A frame cannot arrive before it was sent, so `arrival − server time` is never below the true difference: the
 * smallest one seen is the tightest upper bound. The first guess comes from the middle of the connection's opening,
 * as in NTP.
 */
export class ClockOffset {
  #aheadMs: number | null = null;

  /** The server read its clock between the two instants. */
  opened(startedMs: number, welcomedMs: number, serverMs: number): void {
    this.#aheadMs = (startedMs + welcomedMs) / 2 - serverMs;
  }

  frame(arrivedMs: number, serverMs: number): void {
    const bound = arrivedMs - serverMs;
    this.#aheadMs = this.#aheadMs === null ? bound : Math.min(this.#aheadMs, bound);
  }

  /** The server's clock at an instant of the browser's. */
  serverTime(browserMs: number): number {
    return browserMs - (this.#aheadMs ?? 0);
  }
}

/** The middle value of the last few delays: one late frame does not move it. */
export class MedianDelay {
  readonly #values: number[] = [];
  readonly #size: number;

  constructor(size = 31) {
    this.#size = size;
  }

  add(delayMs: number): void {
    this.#values.push(delayMs);
    if (this.#values.length > this.#size) this.#values.shift();
  }

  clear(): void {
    this.#values.length = 0;
  }

  value(): number | null {
    if (this.#values.length === 0) return null;
    const sorted = [...this.#values].sort((a, b) => a - b);
    return sorted[sorted.length >> 1] ?? null;
  }
}
