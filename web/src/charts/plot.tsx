import { useEffect, useLayoutEffect, useMemo, useRef } from "react";
import uPlot from "uplot";
import { useThemeVersion } from "../app/theme";
import type { Values } from "../live/columns";
import { cursorMoved, joinCursor } from "./cursor";
import { axes, chartColors, RIGHT_PX, verticalRange } from "./options";
import type { LineSpec, Unit } from "./specs";

/** All charts of a page follow one cursor. */
const CURSOR_GROUP = "metric-flow";
const HEIGHT_PX = 176;
const SHORTEST_DRAG_PX = 6;

export interface PlotLine extends LineSpec {
  values: Values;
  lowest?: Values | undefined;
  highest?: Values | undefined;
}

interface Props {
  unit: Unit;
  top?: number | undefined;
  timesMs: readonly number[];
  lines: PlotLine[];
  fromMs: number;
  toMs: number;
  /** Index under the cursor; null when it is elsewhere. */
  onCursor: (index: number | null) => void;
  onZoom: (fromMs: number, toMs: number) => void;
  description: string;
}

/** One uPlot: made anew when its lines change their shape, else only fed. */
export function Plot(props: Props) {
  const { unit, top, lines, description } = props;
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const theme = useThemeVersion();
  const latest = useRef(props);
  latest.current = props;
  const shape = lines.map((line) => `${line.series} ${line.dashed} ${line.band}`).join("\n");

  // biome-ignore lint/correctness/useExhaustiveDependencies: `shape` and `theme` stand for what is baked into the chart
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const made = make(element, latest);
    chart.current = made;
    const leaveCursor = joinCursor(made);
    feed(made, latest.current);
    const observer = new ResizeObserver(() =>
      made.setSize({ width: element.clientWidth, height: HEIGHT_PX }),
    );
    observer.observe(element);
    return () => {
      observer.disconnect();
      leaveCursor();
      made.destroy();
      chart.current = null;
    };
  }, [shape, theme, unit, top]);

  const data = useMemo(
    () => ({ timesMs: props.timesMs, lines, fromMs: props.fromMs, toMs: props.toMs }),
    [props.timesMs, lines, props.fromMs, props.toMs],
  );
  useEffect(() => {
    if (chart.current) feed(chart.current, data);
  }, [data]);

  return <div className="plot" ref={box} role="img" aria-label={description} />;
}

function make(element: HTMLElement, latest: { current: Props }): uPlot {
  const { unit, top, lines } = latest.current;
  const colors = chartColors();
  const series: uPlot.Series[] = [{}];
  const bands: uPlot.Band[] = [];
  lines.forEach((line, index) => {
    const stroke = colors.lines[lineColor(lines, index)] ?? colors.text;
    series.push({
      label: line.label,
      stroke,
      width: 1.5,
      points: { show: false },
      ...(line.dashed ? { dash: [5, 3] } : {}),
      ...(line.filled ? { fill: translucent(stroke, 0.12) } : {}),
    });
  });
  lines.forEach((line, index) => {
    if (!line.band) return;
    const stroke = colors.lines[lineColor(lines, index)] ?? colors.text;
    const at = series.length;
    series.push(
      { label: "lowest", width: 0, points: { show: false } },
      { label: "highest", width: 0, points: { show: false } },
    );
    bands.push({ series: [at + 1, at], fill: translucent(stroke, 0.22) });
  });
  return new uPlot(
    {
      width: element.clientWidth,
      height: HEIGHT_PX,
      padding: [8, RIGHT_PX, 0, 0],
      series,
      bands,
      axes: axes(unit, colors),
      scales: { x: { time: true, auto: false }, y: { range: verticalRange(unit, top) } },
      legend: { show: false },
      cursor: {
        sync: { key: CURSOR_GROUP, setSeries: false },
        drag: { x: true, y: false, setScale: false, dist: SHORTEST_DRAG_PX },
        points: { size: 5 },
        y: false,
      },
      hooks: {
        setCursor: [
          (self) => {
            const index = self.cursor.idx ?? null;
            latest.current.onCursor(index);
            cursorMoved(index === null ? null : (latest.current.timesMs[index] ?? null));
          },
        ],
        setSelect: [
          (self) => {
            const { left, width } = self.select;
            if (width < SHORTEST_DRAG_PX) return;
            latest.current.onZoom(self.posToVal(left, "x") * 1000, self.posToVal(left + width, "x") * 1000);
            self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          },
        ],
      },
    },
    [[]],
    element,
  );
}

/** A dashed line goes with the solid one before it and has its colour. */
export function lineColor(lines: readonly LineSpec[], index: number): number {
  const pairs = lines.length > 1 && lines.every((line, at) => Boolean(line.dashed) === (at % 2 === 1));
  return (pairs ? index >> 1 : index) % 8;
}

function feed(
  chart: uPlot,
  { timesMs, lines, fromMs, toMs }: Pick<Props, "timesMs" | "lines" | "fromMs" | "toMs">,
): void {
  const columns: Values[] = lines.map((line) => line.values);
  for (const line of lines)
    if (line.band) columns.push(line.lowest ?? line.values, line.highest ?? line.values);
  chart.batch(() => {
    chart.setData([timesMs.map((time) => time / 1000), ...columns] as uPlot.AlignedData, false);
    chart.setScale("x", { min: fromMs / 1000, max: toMs / 1000 });
  });
}

function translucent(color: string, alpha: number): string {
  const [red = 0, green = 0, blue = 0] = (color.match(/[\d.]+/g) ?? []).map(Number);
  return `rgb(${red} ${green} ${blue} / ${alpha})`;
}
