import { useEffect, useMemo, useState } from "react";
import { useLocation } from "../app/router";
import { fleet, useFleetStructure } from "../app/services";
import { ChartCard } from "../charts/chart-card";
import { HeatStrip } from "../charts/heat-strip";
import { type ChartSpec, hostCharts } from "../charts/specs";
import { parseRange, type Range, SHORTEST_CUSTOM_MS } from "../history/range";
import { useDeployMarks } from "../history/use-deploys";
import { type TimelineState, useTimeline } from "../history/use-timeline";
import type { HostSummary } from "../protocol.generated";
import { Link } from "../ui/link";
import { Loading, Problem } from "../ui/states";
import { CompletenessLine } from "./completeness-line";
import { CsvButton } from "./csv-button";
import { CursorSlider } from "./cursor-slider";
import { DeployLine } from "./deploy-line";
import { useFreshness } from "./fleet-row";
import { HostDialogs } from "./host-dialogs";
import { HostFacts } from "./host-facts";
import { HostNow } from "./host-now";
import { RangeBar, showRange } from "./range-bar";

export function HostPage({ id }: { id: string }) {
  useFleetStructure();
  const summary = fleet.hosts.get(id)?.summary;
  useEffect(() => {
    document.title = `${summary?.name ?? "Host"} · Metric Flow`;
  }, [summary?.name]);
  if (summary) return <Host summary={summary} />;
  if (!fleet.loaded) return <Loading what="the host" />;
  return (
    <div className="page narrow">
      <div className="empty">
        <h1>There is no such host</h1>
        <p>It was deleted, or it belongs to another account.</p>
        <Link className="button" href="/">
          To the fleet
        </Link>
      </div>
    </div>
  );
}

function Host({ summary }: { summary: HostSummary }) {
  const { search } = useLocation();
  const range = useMemo(() => parseRange(new URLSearchParams(search)), [search]);
  const state = useTimeline(summary.id, range);
  const freshness = useFreshness(summary.id);
  const [editing, setEditing] = useState(false);
  return (
    <div className={`page ${freshness.state === "live" ? "" : "stale"}`} data-state={freshness.state}>
      <div className="page-head">
        <div className="host-title">
          <h1>{summary.name}</h1>
          <span className="state">
            <span className={`dot ${freshness.state}`} />
            {freshness.text}
          </span>
          {summary.cloned_identity && <span className="label warn">clone of another host</span>}
          {Object.entries(summary.labels).map(([name, value]) => (
            <span className="label" key={name}>
              {name}={value}
            </span>
          ))}
        </div>
        <div className="tools">
          <Link className="button small" href={`/compare?hosts=${encodeURIComponent(summary.id)}`}>
            Compare…
          </Link>
          <button type="button" className="button small" onClick={() => setEditing(true)}>
            Edit…
          </button>
        </div>
      </div>
      <HostFacts summary={summary} />
      <HostNow summary={summary} />
      <RangeBar range={range} fromMs={state.fromMs} toMs={state.toMs}>
        <CsvButton hostId={summary.id} name={summary.name} state={state} />
      </RangeBar>
      <Charts state={state} range={range} names={[summary.name]} />
      {editing && (
        <HostDialogs
          task={{ id: summary.id, kind: "edit", afterDelete: "/" }}
          onClose={() => setEditing(false)}
        />
      )}
    </div>
  );
}

function Charts({ state, range, names }: { state: TimelineState; range: Range; names: string[] }) {
  const { timeline, fromMs, toMs, loading, error } = state;
  const specs = useStableSpecs(hostCharts(timeline.series));
  const zoom = (from: number, to: number) => {
    if (to - from >= SHORTEST_CUSTOM_MS) showRange({ kind: "custom", fromMs: from, toMs: to });
  };
  const marks = useDeployMarks(names, fromMs, toMs);
  const waiting = loading || (range.kind === "rolling" && range.name === "live");
  return (
    <>
      {error && <Problem error={error} retry={state.retry} />}
      {specs.length === 0 && !error && <Nothing waiting={waiting} />}
      {specs.length > 0 && (
        <>
          <CompletenessLine timeline={timeline} />
          <DeployLine marks={marks} />
          <CursorSlider timeline={timeline} />
          <div className="charts">
            {specs.flatMap((spec) => [
              <ChartCard
                key={spec.id}
                spec={spec}
                timeline={timeline}
                fromMs={fromMs}
                toMs={toMs}
                marks={marks}
                onZoom={zoom}
              />,
              ...(spec.id === "modes"
                ? [<HeatStrip key="cores" timeline={timeline} fromMs={fromMs} toMs={toMs} />]
                : []),
            ])}
          </div>
        </>
      )}
    </>
  );
}

function Nothing({ waiting }: { waiting: boolean }) {
  if (waiting) return <Loading what="readings" />;
  return (
    <div className="card empty">
      <h2>No readings in this stretch of time</h2>
      <p>Choose another range, or go back to the live stream.</p>
    </div>
  );
}

/** The same specs as long as they say the same, so that a chart is fed and not made anew each second. */
export function useStableSpecs(specs: ChartSpec[]): ChartSpec[] {
  const text = JSON.stringify(specs);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the text holds all that the specs say
  return useMemo(() => specs, [text]);
}
