import { type PointerEvent, useEffect, useMemo, useRef } from "react";
import { themeColor, useThemeVersion } from "../app/theme";
import type { Timeline } from "../history/merge";
import { moveCursor, onCursor } from "./cursor";
import { AXIS_PX, RIGHT_PX } from "./options";
import { instances } from "./specs";

interface Props {
  timeline: Timeline;
  fromMs: number;
  toMs: number;
}

/** Shades of the scale: more cannot be told apart. */
const SHADES = 32;
const HEIGHT_MAX_PX = 160;

/** One row for each core, darker the busier it is. */
export function HeatStrip({ timeline, fromMs, toMs }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const line = useRef<HTMLDivElement>(null);
  const theme = useThemeVersion();
  const cores = useMemo(() => instances(timeline.series, "core_used_percent"), [timeline]);
  const rowPx = Math.max(2, Math.min(36, Math.floor(HEIGHT_MAX_PX / Math.max(1, cores.length))));
  const height = Math.max(14, rowPx * cores.length);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the theme changes the colours that are read
  useEffect(() => {
    if (canvas.current) draw(canvas.current, timeline, cores, height, fromMs, toMs);
  }, [timeline, cores, height, fromMs, toMs, theme]);
  useEffect(
    () =>
      onCursor((time) => {
        const element = line.current;
        const width = (element?.parentElement?.clientWidth ?? 0) - AXIS_PX - RIGHT_PX;
        if (!element) return;
        element.hidden = time === null;
        const share = time === null ? 0 : (time - fromMs) / (toMs - fromMs);
        element.style.transform = `translateX(${AXIS_PX + share * width}px)`;
      }),
    [fromMs, toMs],
  );
  const point = (event: PointerEvent<HTMLDivElement>) => {
    const area = event.currentTarget.getBoundingClientRect();
    const share = (event.clientX - area.left - AXIS_PX) / (area.width - AXIS_PX - RIGHT_PX);
    moveCursor(share >= 0 && share <= 1 ? fromMs + share * (toMs - fromMs) : null);
  };
  if (cores.length === 0) return null;
  return (
    <section className="chart-card" aria-labelledby="chart-cores" data-chart="cores">
      <div className="chart-head">
        <h2 id="chart-cores">CPU by core</h2>
        <span className="heat-scale">
          0 <i /> 100 %
        </span>
      </div>
      <div className="heat-box" onPointerMove={point} onPointerLeave={() => moveCursor(null)}>
        <canvas
          className="heat"
          ref={canvas}
          style={{ height }}
          role="img"
          aria-label={`Use of each of ${cores.length} cores over time. ${busiest(timeline, cores)}`}
        />
        <div className="heat-cursor" ref={line} hidden />
      </div>
    </section>
  );
}

function busiest(timeline: Timeline, cores: readonly string[]): string {
  const now = cores.map((core) => timeline.series.get(`core_used_percent:${core}`)?.at(-1) ?? 0);
  const most = Math.max(...now);
  return `Busiest now: core ${cores[now.indexOf(most)]} at ${most.toFixed(0)} %.`;
}

function draw(
  canvas: HTMLCanvasElement,
  timeline: Timeline,
  cores: readonly string[],
  heightPx: number,
  fromMs: number,
  toMs: number,
): void {
  const context = canvas.getContext("2d");
  if (!context) return;
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(canvas.clientWidth * ratio);
  canvas.height = Math.round(heightPx * ratio);
  const left = AXIS_PX * ratio;
  const width = canvas.width - left - RIGHT_PX * ratio;
  const row = canvas.height / cores.length;
  const perMs = width / (toMs - fromMs);
  const cell = Math.max(1, Math.ceil(timeline.stepMs * perMs));
  const shades = ramp(themeColor("heat-low"), themeColor("heat-high"));
  context.font = `${11.5 * ratio}px system-ui, sans-serif`;
  context.textAlign = "right";
  context.textBaseline = "middle";
  const text = themeColor("muted");
  const every = Math.ceil((12 * ratio) / row);
  cores.forEach((core, index) => {
    const values = timeline.series.get(`core_used_percent:${core}`) ?? [];
    const y = Math.round(index * row);
    const size = Math.max(1, Math.round((index + 1) * row) - y - (row > 5 * ratio ? 1 : 0));
    timeline.timesMs.forEach((time, at) => {
      const value = values[at];
      if (value == null || time < fromMs) return;
      context.fillStyle = shades[Math.min(SHADES - 1, Math.floor((value / 100) * SHADES))] ?? text;
      context.fillRect(Math.floor(left + (time - fromMs) * perMs), y, cell, size);
    });
    if (index % every !== 0) return;
    context.fillStyle = text;
    context.fillText(core, left - 8 * ratio, y + row / 2);
  });
}

function ramp(low: string, high: string): string[] {
  const parse = (color: string) => (color.match(/[\d.]+/g) ?? []).map(Number);
  const [from, to] = [parse(low), parse(high)];
  return Array.from({ length: SHADES }, (_, index) => {
    const mix = (part: number) => {
      const start = from[part] ?? 0;
      return Math.round(start + (((to[part] ?? 0) - start) * index) / (SHADES - 1));
    };
    return `rgb(${mix(0)} ${mix(1)} ${mix(2)})`;
  });
}
