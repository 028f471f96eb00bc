import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { useCallback, useLayoutEffect, useRef, useState } from "react";
import type { Line, SortColumn, View } from "../live/fleet-order";
import { FleetRow } from "./fleet-row";
import { COMPARE_MAX } from "./fleet-tools";
import type { HostTask } from "./host-dialogs";

const ROW_PX = 40;
/** Rows drawn beyond the window, so that fast scrolling meets no blank. */
const OVERSCAN = 12;

interface Column {
  id: SortColumn | null;
  title: string;
  className: string;
}

const COLUMNS: Column[] = [
  { id: "name", title: "Host", className: "" },
  { id: "state", title: "State", className: "middle" },
  { id: null, title: "Last minute", className: "long-head" },
  { id: "cpu", title: "CPU", className: "num" },
  { id: "memory", title: "Memory", className: "num" },
  { id: "received", title: "In", className: "num middle" },
  { id: "sent", title: "Out", className: "num middle" },
  { id: "load", title: "Load", className: "num wide" },
  { id: "uptime", title: "Uptime", className: "num wide" },
];

interface Props {
  lines: Line[];
  view: View;
  picked: ReadonlySet<string>;
  pick: (change: (picked: ReadonlySet<string>) => ReadonlySet<string>) => void;
  sortBy: (column: SortColumn) => void;
  ask: (task: HostTask) => void;
}

/** The virtualised table: only rows near the window exist, and each follows its own host. */
export function FleetTable({ lines, view, picked, pick, sortBy, ask }: Props) {
  const body = useRef<HTMLDivElement>(null);
  const [offset, setOffset] = useState(0);
  useLayoutEffect(() => {
    const measure = () => setOffset((body.current?.getBoundingClientRect().top ?? 0) + window.scrollY);
    measure();
    window.addEventListener("resize", measure);
    return () => window.removeEventListener("resize", measure);
  }, []);
  const virtual = useWindowVirtualizer({
    count: lines.length,
    estimateSize: () => ROW_PX,
    overscan: OVERSCAN,
    scrollMargin: offset,
    // React batches the render of a scroll with what else the frame brings.
    useFlushSync: false,
    getItemKey: (index) => lines[index]?.key ?? index,
  });
  const toggle = useCallback(
    (id: string) =>
      pick((before) => {
        const next = new Set(before);
        if (!next.delete(id) && next.size < COMPARE_MAX) next.add(id);
        return next;
      }),
    [pick],
  );
  return (
    <div className="table" role="table" aria-label="Hosts" aria-rowcount={lines.length + 1}>
      <div role="rowgroup">
        <div className="table-head fleet-row" role="row" aria-rowindex={1}>
          <span role="columnheader" className="middle">
            <span className="visually-hidden">Compare</span>
          </span>
          {COLUMNS.map((column) => (
            <HeadCell key={column.title} column={column} view={view} sortBy={sortBy} />
          ))}
          <span role="columnheader">
            <span className="visually-hidden">Actions</span>
          </span>
        </div>
      </div>
      <div className="table-body" role="rowgroup" ref={body} style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map((item) => {
          const line = lines[item.index];
          if (!line) return null;
          const top = item.start - offset;
          if (line.kind === "group")
            return <GroupRow key={item.key} line={line} view={view} index={item.index} top={top} />;
          return (
            <FleetRow
              key={item.key}
              id={line.id}
              index={item.index}
              top={top}
              picked={picked.has(line.id)}
              pickable={picked.size < COMPARE_MAX}
              toggle={toggle}
              ask={ask}
            />
          );
        })}
      </div>
    </div>
  );
}

function HeadCell({ column, view, sortBy }: { column: Column; view: View; sortBy: Props["sortBy"] }) {
  const { id, title, className } = column;
  if (id === null) {
    return (
      <span role="columnheader" className={className}>
        {title}
      </span>
    );
  }
  const sorted = view.sort === id;
  const arrow = view.descending ? " ↓" : " ↑";
  return (
    <span
      role="columnheader"
      className={className}
      aria-sort={sorted ? (view.descending ? "descending" : "ascending") : "none"}
    >
      <button type="button" onClick={() => sortBy(id)}>
        {title}
        <span aria-hidden="true">{sorted && arrow}</span>
      </button>
    </span>
  );
}

interface GroupProps {
  line: Extract<Line, { kind: "group" }>;
  view: View;
  index: number;
  top: number;
}

function GroupRow({ line, view, index, top }: GroupProps) {
  return (
    <div
      role="row"
      className="table-line group"
      aria-rowindex={index + 2}
      style={{ transform: `translateY(${top}px)` }}
    >
      <span role="cell">
        {line.value === "" ? `no ${view.groupBy}` : `${view.groupBy} = ${line.value}`}{" "}
        <small>
          {line.up} of {line.count} up
        </small>
      </span>
    </div>
  );
}
