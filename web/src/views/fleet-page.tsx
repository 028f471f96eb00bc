import { useEffect, useMemo, useState } from "react";
import { updateSearch, useLocation } from "../app/router";
import { useSeconds } from "../app/seconds";
import { fleet, useFleetStructure } from "../app/services";
import { fleetLines, labelNames, type SortColumn, type View } from "../live/fleet-order";
import { Link } from "../ui/link";
import { Loading } from "../ui/states";
import { FleetHistorySection } from "./fleet-history";
import { FleetTable } from "./fleet-table";
import { FleetTiles } from "./fleet-tiles";
import { FleetTools } from "./fleet-tools";
import { HostDialogs, type HostTask } from "./host-dialogs";

/** Rows keep their places for this long under a sort by a moving number: a list that jumps cannot be read. */
const RESORT_EVERY_MS = 2_000;
const DESCENDING_FIRST: readonly SortColumn[] = ["cpu", "memory", "received", "sent", "load"];
const COLUMNS: readonly SortColumn[] = [
  "name",
  "state",
  "cpu",
  "memory",
  "received",
  "sent",
  "load",
  "uptime",
];

export function FleetPage() {
  useEffect(() => {
    document.title = "Fleet · Metric Flow";
  }, []);
  const structure = useFleetStructure();
  if (!fleet.loaded) {
    return (
      <div className="page">
        <h1>Fleet</h1>
        <Loading what="the fleet" />
      </div>
    );
  }
  return (
    <div className="page">
      <h1>Fleet</h1>
      <FleetTiles />
      {fleet.hosts.size === 0 ? <NoHosts /> : <Hosts structure={structure} />}
    </div>
  );
}

function Hosts({ structure }: { structure: number }) {
  const { search } = useLocation();
  const view = useMemo(() => readView(new URLSearchParams(search)), [search]);
  const slot = Math.floor(useSeconds() / RESORT_EVERY_MS);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the store is mutable; its versions say when it changed
  const lines = useMemo(() => fleetLines(fleet.hosts.values(), view), [view, structure, slot]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: labels change with the structure
  const labels = useMemo(() => labelNames(fleet.hosts.values()), [structure]);
  const [picked, setPicked] = useState<ReadonlySet<string>>(new Set());
  const [task, setTask] = useState<HostTask | null>(null);
  const shown = lines.filter((line) => line.kind === "host").length;
  return (
    <>
      <FleetTools
        view={view}
        labels={labels}
        shown={shown}
        total={fleet.hosts.size}
        picked={picked}
        clearPicked={() => setPicked(new Set())}
      />
      <FleetHistorySection groupBy={view.groupBy} />
      {shown === 0 ? (
        <div className="card empty">
          <h2>No host matches</h2>
          <p>Nothing fits “{view.filter}”. Try a part of a name, an address, “up”, “down” or role=db.</p>
          <button
            type="button"
            className="button"
            onClick={() => updateSearch((next) => next.delete("filter"))}
          >
            Clear the filter
          </button>
        </div>
      ) : (
        <FleetTable
          lines={lines}
          view={view}
          picked={picked}
          pick={setPicked}
          sortBy={sortBy(view)}
          ask={setTask}
        />
      )}
      {task && <HostDialogs task={task} onClose={() => setTask(null)} />}
    </>
  );
}

function NoHosts() {
  return (
    <div className="card empty">
      <h2>No hosts yet</h2>
      <p>
        Create a key and paste the command that comes with it on a machine. It shows up here within a second.
      </p>
      <Link className="button primary" href="/keys">
        Create a key
      </Link>
    </div>
  );
}

function readView(search: URLSearchParams): View {
  const sort = COLUMNS.find((column) => column === search.get("sort")) ?? "name";
  return {
    filter: search.get("filter") ?? "",
    groupBy: search.get("group") ?? "",
    sort,
    descending: search.get("order") === "down",
  };
}

/** Chosen again, a column turns round; a number starts with its largest. */
function sortBy(view: View): (column: SortColumn) => void {
  return (column) => {
    const descending = view.sort === column ? !view.descending : DESCENDING_FIRST.includes(column);
    updateSearch(
      (search) => {
        search.set("sort", column);
        search.set("order", descending ? "down" : "up");
      },
      { replace: true },
    );
  };
}
