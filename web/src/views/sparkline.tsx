import { memo, useEffect, useRef } from "react";
import { themeColor, useThemeVersion } from "../app/theme";
import type { Spark } from "../live/spark";

const colors = new Map<number, string>();

/** The line's colour, looked up once for each theme and not once for each row. */
function lineColor(theme: number): string {
  let color = colors.get(theme);
  if (!color) {
    color = themeColor("chart-1");
    colors.clear();
    colors.set(theme, color);
  }
  return color;
}

/** Drawn at this size and scaled by the style sheet: asking for the size on screen would cost a layout per row. */
const WIDTH_PX = 130;
const HEIGHT_PX = 26;

/** CPU of the last minute, 0 to 100, newest at the right. */
export const Sparkline = memo(function Sparkline({ spark, version }: { spark: Spark; version: number }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const theme = useThemeVersion();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the ring is mutable; its version says when it changed
  useEffect(() => {
    if (canvas.current) draw(canvas.current, spark, lineColor(theme));
  }, [spark, version, theme]);
  return <canvas className="spark" ref={canvas} />;
});

function draw(canvas: HTMLCanvasElement, spark: Spark, color: string): void {
  const context = canvas.getContext("2d");
  if (!context) return;
  const ratio = window.devicePixelRatio || 1;
  const width = Math.round(WIDTH_PX * ratio);
  const height = Math.round(HEIGHT_PX * ratio);
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  context.clearRect(0, 0, width, height);
  const step = width / Math.max(1, spark.capacity - 1);
  const left = width - step * (spark.length - 1);
  const base = height - ratio;
  const y = (value: number) => base - (Math.min(100, Math.max(0, value)) / 100) * (height - 3 * ratio);
  context.fillStyle = color;
  context.strokeStyle = color;
  context.lineWidth = 1.25 * ratio;
  context.lineJoin = "round";
  for (let index = 0; index < spark.length; ) {
    if (Number.isNaN(spark.at(index))) {
      index += 1;
      continue;
    }
    const start = index;
    const path = new Path2D();
    while (index < spark.length && !Number.isNaN(spark.at(index))) {
      path.lineTo(left + index * step, y(spark.at(index)));
      index += 1;
    }
    context.stroke(path);
    path.lineTo(left + (index - 1) * step, height);
    path.lineTo(left + start * step, height);
    context.globalAlpha = 0.14;
    context.fill(path);
    context.globalAlpha = 1;
  }
}
