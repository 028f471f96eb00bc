import { useCallback, useEffect, useMemo, useState } from "react";
import { asApiError } from "../api/errors";
import { updateSearch, useLocation } from "../app/router";
import { fleet, useFleetStructure } from "../app/services";
import { ChartCard } from "../charts/chart-card";
import { compareCharts, mergeHosts } from "../history/compare";
import { EMPTY_TIMELINE, type Timeline } from "../history/merge";
import { parseRange, type Range, SHORTEST_CUSTOM_MS } from "../history/range";
import { useDeployMarks } from "../history/use-deploys";
import { useTimeline } from "../history/use-timeline";
import { Link } from "../ui/link";
import { Loading, Problem } from "../ui/states";
import { CursorSlider } from "./cursor-slider";
import { DeployLine } from "./deploy-line";
import { COMPARE_MAX } from "./fleet-tools";
import { useStableSpecs } from "./host-page";
import { RangeBar, showRange } from "./range-bar";

/** Up to eight hosts, one line each, in the same second. */
export function ComparePage() {
  const structure = useFleetStructure();
  const { search } = useLocation();
  const range = useMemo(() => parseRange(new URLSearchParams(search)), [search]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: hosts come and go with the structure
  const ids = useMemo(() => {
    const asked = (new URLSearchParams(search).get("hosts") ?? "").split(",").filter(Boolean);
    return [...new Set(asked)].filter((id) => fleet.hosts.has(id)).slice(0, COMPARE_MAX);
  }, [search, structure]);
  useEffect(() => {
    document.title = "Compare · Metric Flow";
  }, []);
  if (!fleet.loaded) return <Loading what="the hosts" />;
  return (
    <div className="page">
      <div className="page-head">
        <h1>Compare</h1>
      </div>
      <Chooser ids={ids} />
      {ids.length === 0 ? (
        <div className="card empty">
          <h2>No host chosen</h2>
          <p>Add up to {COMPARE_MAX} hosts above, or choose them in the fleet.</p>
          <Link className="button" href="/">
            To the fleet
          </Link>
        </div>
      ) : (
        <Comparison ids={ids} range={range} />
      )}
    </div>
  );
}

function Chooser({ ids }: { ids: string[] }) {
  const choose = (next: string[]) => updateSearch((search) => search.set("hosts", next.join(",")));
  const others = [...fleet.hosts.values()]
    .filter(({ summary }) => !ids.includes(summary.id))
    .sort((a, b) => a.summary.name.localeCompare(b.summary.name, "en", { numeric: true }));
  return (
    <div className="tools">
      {ids.map((id) => {
        const name = fleet.hosts.get(id)?.summary.name ?? id;
        return (
          <button
            type="button"
            className="button small"
            key={id}
            aria-label={`Take ${name} away`}
            onClick={() => choose(ids.filter((other) => other !== id))}
          >
            {name} ×
          </button>
        );
      })}
      {ids.length < COMPARE_MAX && others.length > 0 && (
        <select
          className="select"
          aria-label="Add a host"
          value=""
          onChange={(event) => choose([...ids, event.target.value])}
        >
          <option value="">Add a host…</option>
          {others.map(({ summary }) => (
            <option key={summary.id} value={summary.id}>
              {summary.name}
            </option>
          ))}
        </select>
      )}
    </div>
  );
}

interface HostState {
  timeline: Timeline;
  fromMs: number;
  toMs: number;
  message: string | null;
}

function Comparison({ ids, range }: { ids: string[]; range: Range }) {
  const [states, setStates] = useState<ReadonlyMap<string, HostState>>(new Map());
  const report = useCallback((id: string, state: HostState) => {
    setStates((before) => new Map(before).set(id, state));
  }, []);
  const hosts = ids.map((id) => ({
    id,
    name: fleet.hosts.get(id)?.summary.name ?? id,
    timeline: states.get(id)?.timeline ?? EMPTY_TIMELINE,
  }));
  // biome-ignore lint/correctness/useExhaustiveDependencies: `hosts` is made of these
  const merged = useMemo(() => mergeHosts(hosts), [ids, states]);
  const specs = useStableSpecs(compareCharts(hosts));
  const shown = ids.map((id) => states.get(id)).filter((state) => state !== undefined);
  const fromMs = Math.min(...shown.map((state) => state.fromMs));
  const toMs = Math.max(...shown.map((state) => state.toMs));
  const names = hosts.map((host) => host.name);
  const marks = useDeployMarks(names, fromMs, toMs);
  const message = shown.find((state) => state.message)?.message;
  const zoom = (from: number, to: number) => {
    if (to - from >= SHORTEST_CUSTOM_MS) showRange({ kind: "custom", fromMs: from, toMs: to });
  };
  return (
    <>
      {ids.map((id) => (
        <OneHost key={id} id={id} range={range} report={report} />
      ))}
      {shown.length > 0 && <RangeBar range={range} fromMs={fromMs} toMs={toMs} />}
      {message && <Problem error={asApiError(new Error(message))} />}
      {specs.length === 0 ? (
        <Loading what="readings" />
      ) : (
        <>
          <DeployLine marks={marks} />
          <CursorSlider timeline={merged} />
          <div className="charts">
            {specs.map((spec) => (
              <ChartCard
                key={spec.id}
                spec={spec}
                timeline={merged}
                fromMs={fromMs}
                toMs={toMs}
                marks={marks}
                onZoom={zoom}
              />
            ))}
          </div>
        </>
      )}
    </>
  );
}

const COMPARED =
  /^(cpu_used_percent|memory_(used|total)_bytes|load_one_minute|pressure_(cpu|io)_some_percent|interface_(received|sent)_bytes_per_second:.*|disk_(read|written)_bytes_per_second:.*)$/;
const isCompared = (series: string): boolean => COMPARED.test(series);

/** Follows one host; each needs the same hooks, so each is a component. */
function OneHost({
  id,
  range,
  report,
}: {
  id: string;
  range: Range;
  report: (id: string, state: HostState) => void;
}) {
  const { timeline, fromMs, toMs, error } = useTimeline(id, range, isCompared);
  const message = error?.message ?? null;
  useEffect(
    () => report(id, { timeline, fromMs, toMs, message }),
    [id, timeline, fromMs, toMs, message, report],
  );
  return null;
}
