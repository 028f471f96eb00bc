import { type PointerEvent, useEffect, useMemo, useRef, useState } from "react";
import { themeColor, useThemeVersion } from "../app/theme";
import { type Completeness, completeness } from "../history/completeness";
import type { Timeline } from "../history/merge";
import { AXIS_PX, RIGHT_PX } from "./options";

interface Props {
  timeline: Timeline;
  fromMs: number;
  toMs: number;
}

const HEIGHT_PX = 8;

/** Which seconds are there, and on hover why the others are not. */
export function CompletenessStrip({ timeline, fromMs, toMs }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const theme = useThemeVersion();
  const [tip, setTip] = useState<string | null>(null);
  const state = useMemo(() => completeness(timeline), [timeline]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the theme changes the colours that are read
  useEffect(() => {
    if (canvas.current) draw(canvas.current, timeline, state, fromMs, toMs);
  }, [timeline, state, fromMs, toMs, theme]);

  const point = (event: PointerEvent<HTMLDivElement>) => {
    const area = event.currentTarget.getBoundingClientRect();
    const share = (event.clientX - area.left - AXIS_PX) / (area.width - AXIS_PX - RIGHT_PX);
    const time = fromMs + share * (toMs - fromMs);
    // A gap may be thinner than a pixel: the nearest one within a few pixels answers.
    const reach = ((toMs - fromMs) / area.width) * 4;
    const hit = state.stretches.find(
      (stretch) => stretch.fromMs - reach <= time && time < stretch.toMs + reach,
    );
    setTip(hit?.text ?? state.text);
  };
  return (
    <div
      className="strip"
      role="img"
      aria-label={`Completeness: ${state.text}`}
      onPointerMove={point}
      onPointerLeave={() => setTip(null)}
    >
      <canvas ref={canvas} />
      {tip && <span className="strip-tip">{tip}</span>}
    </div>
  );
}

function draw(
  canvas: HTMLCanvasElement,
  timeline: Timeline,
  state: Completeness,
  fromMs: number,
  toMs: number,
): void {
  const context = canvas.getContext("2d");
  if (!context) return;
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(canvas.clientWidth * ratio);
  canvas.height = HEIGHT_PX * ratio;
  const left = AXIS_PX * ratio;
  const width = canvas.width - left - RIGHT_PX * ratio;
  const x = (time: number) => left + Math.min(1, Math.max(0, (time - fromMs) / (toMs - fromMs))) * width;
  const top = 2 * ratio;
  const height = 4 * ratio;
  context.fillStyle = themeColor("line");
  context.fillRect(left, top, width, height);
  const first = state.fromMs;
  const last = timeline.timesMs[timeline.timesMs.length - 1];
  if (first === null || last === undefined) return;
  context.fillStyle = themeColor("good");
  context.fillRect(x(first), top, x(last + timeline.stepMs) - x(first), height);
  const [bad, line] = [themeColor("bad"), themeColor("line-strong")];
  for (const stretch of state.stretches) {
    const start = x(stretch.fromMs);
    const size = Math.max(ratio, x(stretch.toMs) - start);
    context.fillStyle = line;
    context.fillRect(start, top, size, height);
    context.fillStyle = bad;
    context.globalAlpha = Math.max(0.35, 1 - stretch.share);
    context.fillRect(start, 0, size, canvas.height);
    context.globalAlpha = 1;
  }
}
