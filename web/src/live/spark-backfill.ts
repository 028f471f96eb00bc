import type { History } from "../protocol.generated";
import { type FleetStore, SPARK_SECONDS } from "./fleet-store";

/** Requests under way at once: the fleet page must not crowd out what a person does. */
const AT_ONCE = 3;
/** Rows wanted and not yet asked for; scrolled past, the oldest are forgotten. */
const WAITING_MAX = 60;

type Fetch = (id: string, fromMs: number, toMs: number) => Promise<History | null>;

/** Gives the sparklines on the screen their last minute from the store, each host once. */
export class SparkBackfill {
  readonly #asked = new Set<string>();
  readonly #waiting: string[] = [];
  #running = 0;
  readonly #fleet: FleetStore;
  readonly #fetch: Fetch;

  constructor(fleet: FleetStore, fetch: Fetch) {
    this.#fleet = fleet;
    this.#fetch = fetch;
  }

  want(id: string): void {
    if (this.#asked.has(id) || this.#waiting.includes(id)) return;
    this.#waiting.push(id);
    if (this.#waiting.length > WAITING_MAX) this.#waiting.shift();
    this.#next();
  }

  clear(): void {
    this.#asked.clear();
    this.#waiting.length = 0;
  }

  #next(): void {
    while (this.#running < AT_ONCE) {
      const id = this.#waiting.shift();
      if (id === undefined) return;
      this.#asked.add(id);
      this.#running += 1;
      void this.#fill(id).finally(() => {
        this.#running -= 1;
        this.#next();
      });
    }
  }

  async #fill(id: string): Promise<void> {
    const newest = this.#fleet.hosts.get(id)?.row?.time_unix_ms;
    if (!newest) return;
    try {
      const history = await this.#fetch(id, newest - SPARK_SECONDS * 1000, newest);
      if (history) this.#fleet.fillSpark(id, history.times_unix_ms, history.columns[0]?.mean ?? []);
    } catch {
      // A sparkline without its past is still true: it grows from now on.
    }
  }
}
