import { useCallback, useMemo, useRef } from "react";
import { formatMoment } from "../format";
import type { DeployMark } from "../history/deploys";
import type { Timeline } from "../history/merge";
import type { Values } from "../live/columns";
import { CompletenessStrip } from "./completeness-strip";
import { DeployMarks } from "./deploy-marks";
import { lineColor, Plot, type PlotLine } from "./plot";
import { type ChartSpec, FORMAT } from "./specs";

interface Props {
  spec: ChartSpec;
  timeline: Timeline;
  fromMs: number;
  toMs: number;
  marks: readonly DeployMark[];
  onZoom: (fromMs: number, toMs: number) => void;
  /** Without the strip that says how complete the readings are: many hosts put together have no one answer. */
  withoutStrip?: boolean;
}

/** A chart with its legend; the legend shows the values under the cursor, else the newest. */
export function ChartCard({ spec, timeline, fromMs, toMs, marks, onZoom, withoutStrip }: Props) {
  const legend = useRef<HTMLUListElement>(null);
  const moment = useRef<HTMLSpanElement>(null);
  const cursor = useRef<number | null>(null);
  const lines = useMemo<PlotLine[]>(
    () =>
      spec.lines.map((line) => ({
        ...line,
        values: timeline.series.get(line.series) ?? [],
        lowest: timeline.lowest.get(line.series),
        highest: timeline.highest.get(line.series),
      })),
    [spec, timeline],
  );
  const format = FORMAT[spec.unit];

  // The cursor moves with each mouse event: it writes into the legend, React does not render for it.
  const onCursor = useCallback(
    (index: number | null) => {
      cursor.current = index;
      const time = index === null ? undefined : timeline.timesMs[index];
      if (moment.current) moment.current.textContent = time === undefined ? "" : formatMoment(time);
      legend.current?.querySelectorAll("b").forEach((cell, at) => {
        cell.textContent = format(valueAt(lines[at]?.values, index));
      });
    },
    [lines, format, timeline],
  );

  return (
    <section className="chart-card" aria-labelledby={`chart-${spec.id}`} data-chart={spec.id}>
      <div className="chart-head">
        <h2 id={`chart-${spec.id}`}>{spec.title}</h2>
        <span className="moment" ref={moment} aria-hidden="true" />
        <ul className="legend" ref={legend}>
          {lines.map((line, index) => (
            <li key={line.series}>
              <i style={{ background: swatch(line, lineColor(lines, index)) }} />
              {line.label} <b>{format(valueAt(line.values, cursor.current))}</b>
            </li>
          ))}
        </ul>
      </div>
      <div className="plot-box">
        <Plot
          unit={spec.unit}
          top={spec.top}
          timesMs={timeline.timesMs}
          lines={lines}
          fromMs={fromMs}
          toMs={toMs}
          onCursor={onCursor}
          onZoom={onZoom}
          description={describe(spec, lines)}
        />
        <DeployMarks marks={marks} />
      </div>
      {!withoutStrip && <CompletenessStrip timeline={timeline} fromMs={fromMs} toMs={toMs} />}
    </section>
  );
}

function swatch(line: PlotLine, color: number): string {
  const value = `var(--chart-${color + 1})`;
  return line.dashed ? `repeating-linear-gradient(to right, ${value} 0 4px, transparent 4px 6px)` : value;
}

/** Steps that may be empty at the end before there is no value of now: not every reading is in yet. */
const NEWEST_WITHIN = 3;

/** The value under the cursor, or else the newest. */
function valueAt(values: Values | undefined, index: number | null): number | null {
  if (!values) return null;
  if (index !== null) return values[index] ?? null;
  return values.slice(-NEWEST_WITHIN).findLast((value) => value != null) ?? null;
}

/** The chart in words. */
function describe(spec: ChartSpec, lines: readonly PlotLine[]): string {
  const format = FORMAT[spec.unit];
  const parts = lines.map(({ label, values }) => {
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    for (const value of values) {
      if (value == null) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    if (low > high) return `${label}: no readings`;
    return `${label}: now ${format(valueAt(values, null))}, from ${format(low)} to ${format(high)}`;
  });
  return `${spec.title} over time. ${parts.join("; ")}.`;
}
