import { type ApiError, asApiError } from "../api/errors";

/** The newest answer, and what came of the last attempt. */
export interface Polled<T> {
  answer: T | null;
  /** When that answer came. */
  answeredMs: number | null;
  /** Why the last attempt gave none. */
  error: ApiError | null;
}

/** Asks, and asks again some time after each answer: a slow host is asked less often. */
export class Poll<T> {
  #state: Polled<T> = { answer: null, answeredMs: null, error: null };
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asking = false;
  #ended = false;

  constructor(
    private readonly ask: () => Promise<T>,
    private readonly everyMs: number,
    private readonly tell: (state: Polled<T>) => void,
    /** Whether anybody looks: a page in the background asks nothing. */
    private readonly watched: () => boolean = () => true,
  ) {}

  /** Asks at once, unless an answer is on its way. */
  now = (): void => {
    if (this.#ended || this.#asking || !this.watched()) return;
    clearTimeout(this.#timer);
    void this.#once();
  };

  end(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
  }

  async #once(): Promise<void> {
    this.#asking = true;
    let next: Polled<T>;
    try {
      next = { answer: await this.ask(), answeredMs: Date.now(), error: null };
    } catch (cause) {
      next = { ...this.#state, error: asApiError(cause) };
    }
    this.#asking = false;
    if (this.#ended) return;
    this.#state = next;
    this.tell(next);
    this.#timer = setTimeout(this.now, this.everyMs);
  }
}
