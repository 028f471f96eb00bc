import type { HostEntry } from "./fleet-store";

export type SortColumn = "name" | "state" | "cpu" | "memory" | "received" | "sent" | "load" | "uptime";

export interface View {
  filter: string;
  sort: SortColumn;
  descending: boolean;
  /** Name of the label to group by; empty for none. */
  groupBy: string;
}

export type Line =
  | { kind: "group"; key: string; value: string; count: number; up: number }
  | { kind: "host"; key: string; id: string };

/** Heading of the hosts that lack the label. */
export const WITHOUT_LABEL = "";

const byName = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

/** The lines of the fleet table: filtered, sorted, and under headings if grouped. */
export function fleetLines(hosts: Iterable<HostEntry>, view: View): Line[] {
  const words = view.filter.toLowerCase().split(/\s+/).filter(Boolean);
  const shown = [...hosts].filter((entry) => words.every((word) => matches(entry, word)));
  shown.sort(comparator(view));
  if (view.groupBy === "") return shown.map(hostLine);

  const groups = new Map<string, HostEntry[]>();
  for (const entry of shown) {
    const value = entry.summary.labels[view.groupBy] ?? WITHOUT_LABEL;
    const group = groups.get(value);
    if (group) group.push(entry);
    else groups.set(value, [entry]);
  }
  const named = [...groups].sort(([a], [b]) => {
    if ((a === WITHOUT_LABEL) !== (b === WITHOUT_LABEL)) return a === WITHOUT_LABEL ? 1 : -1;
    return byName.compare(a, b);
  });
  return named.flatMap(([value, entries]): Line[] => [
    {
      kind: "group",
      key: `group:${value}`,
      value,
      count: entries.length,
      up: entries.filter((entry) => entry.summary.online).length,
    },
    ...entries.map(hostLine),
  ]);
}

/** Names of all labels in use, sorted. */
export function labelNames(hosts: Iterable<HostEntry>): string[] {
  const names = new Set<string>();
  for (const { summary } of hosts) for (const name of Object.keys(summary.labels)) names.add(name);
  return [...names].sort(byName.compare);
}

function hostLine(entry: HostEntry): Line {
  return { kind: "host", key: entry.summary.id, id: entry.summary.id };
}

/** A word matches a name, an address, the system, `up` or `down`, or a label as `name=value`. */
function matches({ summary }: HostEntry, word: string): boolean {
  if (word === "up" || word === "down") return summary.online === (word === "up");
  const facts = summary.facts;
  const texts = [summary.name, facts?.host_name, facts?.os, facts?.cpu_model, ...(facts?.ip_addresses ?? [])];
  for (const [name, value] of Object.entries(summary.labels)) texts.push(`${name}=${value}`);
  return texts.some((text) => text?.toLowerCase().includes(word));
}

function comparator(view: View): (a: HostEntry, b: HostEntry) => number {
  const direction = view.descending ? -1 : 1;
  return (a, b) => {
    const named = byName.compare(a.summary.name, b.summary.name) || (a.summary.id < b.summary.id ? -1 : 1);
    if (view.sort === "name") return direction * named;
    const left = sortValue(a, view.sort);
    const right = sortValue(b, view.sort);
    // Hosts without a number come last whichever way the column is sorted.
    if (left === null || right === null) return left === right ? named : left === null ? 1 : -1;
    return direction * (left - right) || named;
  };
}

function sortValue(entry: HostEntry, column: Exclude<SortColumn, "name">): number | null {
  const { summary, row } = entry;
  if (column === "state") return summary.online ? 1 : 0;
  if (column === "uptime") {
    const bootMs = summary.facts?.boot_unix_ms ?? 0;
    return summary.online && bootMs > 0 ? -bootMs : null;
  }
  if (!row) return null;
  switch (column) {
    case "cpu":
      return row.cpu_used_percent;
    case "memory":
      return row.memory_total_bytes > 0 ? row.memory_used_bytes / row.memory_total_bytes : null;
    case "received":
      return row.received_bytes_per_second;
    case "sent":
      return row.sent_bytes_per_second;
    case "load":
      return row.load_one_minute;
  }
}
