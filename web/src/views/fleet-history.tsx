import { useMemo } from "react";
import { updateSearch, useLocation } from "../app/router";
import { ChartCard } from "../charts/chart-card";
import type { DeployMark } from "../history/deploys";
import { fleetCharts, fleetTimeline } from "../history/fleet-history";
import { parseRange, SHORTEST_CUSTOM_MS } from "../history/range";
import { useFleetHistory } from "../history/use-fleet-history";
import { Loading, Problem } from "../ui/states";
import { CursorSlider } from "./cursor-slider";
import { useStableSpecs } from "./host-page";
import { RangeBar, showRange } from "./range-bar";

/** Marks belong to the charts of single hosts. */
const NO_MARKS: readonly DeployMark[] = [];
/** In the address bar while the section is open. */
const OPEN = "history";

/** The past of all hosts together, whole or by the label that the list is grouped by. Closed it asks for nothing. */
export function FleetHistorySection({ groupBy }: { groupBy: string }) {
  const { search } = useLocation();
  const open = new URLSearchParams(search).has(OPEN);
  const toggle = () =>
    updateSearch(
      (next) => {
        if (open) next.delete(OPEN);
        else next.set(OPEN, "open");
      },
      { replace: true },
    );
  return (
    <section className="fleet-history" aria-label="History of the fleet">
      <button type="button" className="button small" aria-expanded={open} onClick={toggle}>
        History of the fleet
      </button>
      {open && <Charts search={search} groupBy={groupBy} />}
    </section>
  );
}

function Charts({ search, groupBy }: { search: string; groupBy: string }) {
  const range = useMemo(() => parseRange(new URLSearchParams(search)), [search]);
  const { answers, fromMs, toMs, loading, error, retry } = useFleetHistory(range, groupBy);
  const timeline = useMemo(() => fleetTimeline(answers), [answers]);
  const specs = useStableSpecs(fleetCharts(answers, groupBy));
  const zoom = (from: number, to: number) => {
    if (to - from >= SHORTEST_CUSTOM_MS) showRange({ kind: "custom", fromMs: from, toMs: to });
  };
  return (
    <>
      <RangeBar range={range} fromMs={fromMs} toMs={toMs} />
      {error && <Problem error={error} retry={retry} />}
      {specs.length === 0 && !error && (loading ? <Loading what="the fleet's past" /> : <Nothing />)}
      {specs.length > 0 && (
        <>
          <CursorSlider timeline={timeline} />
          <div className="charts">
            {specs.map((spec) => (
              <ChartCard
                key={spec.id}
                spec={spec}
                timeline={timeline}
                fromMs={fromMs}
                toMs={toMs}
                marks={NO_MARKS}
                onZoom={zoom}
                withoutStrip
              />
            ))}
          </div>
        </>
      )}
    </>
  );
}

function Nothing() {
  return <p className="muted">No host has readings in this stretch of time. Choose another range.</p>;
}
