import type { HostDetail, Sample } from "../protocol.generated";
import { LiveColumns } from "./columns";

interface OpenHost {
  users: number;
  columns: LiveColumns;
  newest: Sample | null;
}

/** Full samples of the hosts that a page has opened. */
export class DetailStore {
  readonly #hosts = new Map<string, OpenHost>();
  readonly #listeners = new Set<() => void>();
  /** Called with the hosts to subscribe to, whenever they change. */
  onOpenHosts: (ids: string[]) => void = () => undefined;
  version = 0;

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  snapshot = (): number => this.version;

  openHosts(): string[] {
    return [...this.#hosts.keys()];
  }

  /** Opens hosts for a page; the function that is returned closes them again. */
  open(ids: readonly string[]): () => void {
    for (const id of ids) {
      const host = this.#hosts.get(id) ?? { users: 0, columns: new LiveColumns(), newest: null };
      host.users += 1;
      this.#hosts.set(id, host);
    }
    this.onOpenHosts(this.openHosts());
    return () => this.#close(ids);
  }

  columns(id: string): LiveColumns | null {
    return this.#hosts.get(id)?.columns ?? null;
  }

  newest(id: string): Sample | null {
    return this.#hosts.get(id)?.newest ?? null;
  }

  detail({ id, epoch, samples }: HostDetail): void {
    const host = this.#hosts.get(id);
    if (!host || samples.length === 0) return;
    host.columns.add(epoch, samples);
    const last = samples[samples.length - 1];
    if (last && (!host.newest || last.time_unix_ms >= host.newest.time_unix_ms)) host.newest = last;
    this.#changed();
  }

  clear(): void {
    for (const host of this.#hosts.values()) {
      host.columns = new LiveColumns();
      host.newest = null;
    }
    this.#changed();
  }

  #close(ids: readonly string[]): void {
    for (const id of ids) {
      const host = this.#hosts.get(id);
      if (!host) continue;
      host.users -= 1;
      if (host.users === 0) this.#hosts.delete(id);
    }
    this.onOpenHosts(this.openHosts());
  }

  #changed(): void {
    this.version += 1;
    for (const listener of [...this.#listeners]) listener();
  }
}
