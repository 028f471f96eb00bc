import { memo, useCallback, useEffect, useSyncExternalStore } from "react";
import { hostPath } from "../app/router";
import { useDerivedEachSecond } from "../app/seconds";
import { fleet, sparkBackfill, useLink } from "../app/services";
import { formatBytes, formatDuration, formatNumber, formatPercent, formatRate, UNKNOWN } from "../format";
import type { HostEntry } from "../live/fleet-store";
import { freshness, freshnessText } from "../live/freshness";
import { Link } from "../ui/link";
import type { HostTask } from "./host-dialogs";
import { Sparkline } from "./sparkline";

interface Props {
  id: string;
  index: number;
  top: number;
  picked: boolean;
  pickable: boolean;
  toggle: (id: string) => void;
  ask: (task: HostTask) => void;
}

/** A row that scrolls past within this time asks the store for nothing. */
const SETTLED_MS = 300;

/** One host. It renders when its own numbers change, or its age does. */
export const FleetRow = memo(function FleetRow(props: Props) {
  const { id, index, top } = props;
  const subscribe = useCallback((listener: () => void) => fleet.onHost(id, listener), [id]);
  const version = useSyncExternalStore(subscribe, () => fleet.hosts.get(id)?.version ?? -1);
  const entry = fleet.hosts.get(id);
  const { state, text } = useFreshness(id);
  useEffect(() => {
    const timer = setTimeout(() => sparkBackfill.want(id), SETTLED_MS);
    return () => clearTimeout(timer);
  }, [id]);
  if (!entry) return null;
  return (
    <div
      role="row"
      className={`table-line host fleet-row ${state === "live" ? "" : "stale"}`}
      aria-rowindex={index + 2}
      data-host={entry.summary.name}
      data-state={state}
      style={{ transform: `translateY(${top}px)` }}
    >
      <Cells {...props} entry={entry} version={version} state={state} text={text} />
    </div>
  );
});

/** State and age as one string, so that a row renders for it only when it reads differently. */
export function useFreshness(id: string) {
  const linkOpen = useLink().phase === "open";
  const joined = useDerivedEachSecond((now) => {
    const entry = fleet.hosts.get(id);
    if (!entry) return "never|";
    const ageMs = fleet.ageMs(entry, now);
    // The clock ticks once a second; a row that came after the tick is new.
    const state = freshness({
      online: entry.summary.online,
      ageMs,
      hasReading: entry.row !== null,
      linkOpen,
    });
    return `${state}|${freshnessText(state, ageMs)}`;
  });
  const [state = "never", text = ""] = joined.split("|");
  return { state, text };
}

interface CellsProps extends Props {
  entry: HostEntry;
  version: number;
  state: string;
  text: string;
}

function Cells({ id, entry, version, state, text, picked, pickable, toggle, ask }: CellsProps) {
  const { summary, row } = entry;
  const memory = row && row.memory_total_bytes > 0 ? row.memory_used_bytes / row.memory_total_bytes : null;
  return (
    <>
      <span role="cell" className="pick-cell middle">
        <input
          type="checkbox"
          aria-label={`Compare ${summary.name}`}
          checked={picked}
          disabled={!picked && !pickable}
          onChange={() => toggle(id)}
        />
      </span>
      <span role="cell" className="host-name">
        <span className="phone-state">
          <span className={`dot ${state}`} />
          {state === "live" && <span className="visually-hidden">{text}</span>}
        </span>
        <Link href={hostPath(id)}>{summary.name}</Link>
        {state !== "live" && <span className="phone-age">{text}</span>}
        <Labels entry={entry} />
      </span>
      <span role="cell" className="state middle" title={text}>
        <span className={`dot ${state}`} />
        {text}
      </span>
      <span role="cell">
        <Sparkline spark={entry.spark} version={version} />
      </span>
      <span role="cell" className="num value" title={state === "live" ? undefined : text}>
        {formatPercent(row?.cpu_used_percent)}
      </span>
      <span role="cell" className="num meter value">
        <span className="bar" aria-hidden="true">
          <i style={{ transform: `scaleX(${memory ?? 0})` }} />
        </span>
        <span
          title={
            row
              ? `${formatBytes(row.memory_used_bytes)} of ${formatBytes(row.memory_total_bytes)}`
              : undefined
          }
        >
          {formatPercent(memory === null ? null : memory * 100)}
        </span>
      </span>
      <span role="cell" className="num middle value">
        {formatRate(row?.received_bytes_per_second)}
      </span>
      <span role="cell" className="num middle value">
        {formatRate(row?.sent_bytes_per_second)}
      </span>
      <span role="cell" className="num wide value">
        {formatNumber(row?.load_one_minute)}
      </span>
      <span role="cell" className="num wide value">
        {uptime(entry)}
      </span>
      <span role="cell" className="menu-cell">
        <button
          type="button"
          className="icon-button"
          aria-label={`Edit ${summary.name}`}
          title="Rename, label or delete"
          onClick={() => ask({ id, kind: "edit" })}
        >
          <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true" fill="currentColor">
            <circle cx="3" cy="8" r="1.4" />
            <circle cx="8" cy="8" r="1.4" />
            <circle cx="13" cy="8" r="1.4" />
          </svg>
        </button>
      </span>
    </>
  );
}

function uptime({ summary }: HostEntry): string {
  const bootMs = summary.facts?.boot_unix_ms ?? 0;
  return summary.online && bootMs > 0 ? formatDuration(Date.now() - bootMs) : UNKNOWN;
}

function Labels({ entry }: { entry: HostEntry }) {
  const labels = Object.entries(entry.summary.labels);
  return (
    <>
      {entry.summary.cloned_identity && (
        <span
          className="label warn"
          title="Another host reports the same machine identity: the two are clones"
        >
          clone
        </span>
      )}
      {labels.map(([name, value]) => (
        <span className="label" key={name} title={`${name}=${value}`}>
          {name}={value}
        </span>
      ))}
    </>
  );
}
