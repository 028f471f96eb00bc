import type uPlot from "uplot";
import { themeColor } from "../app/theme";
import { FORMAT, PALETTE_LINES, type Unit } from "./specs";

/** Room for the numbers of a vertical axis; the strips below a chart keep it free, too. */
export const AXIS_PX = 68;
export const RIGHT_PX = 10;

/** uPlot reads the size for its line height and knows whole pixels only. */
const AXIS_FONT = "12px system-ui, sans-serif";
const KIB_STEPS = Array.from({ length: 60 }, (_, power) => 2 ** power);

export interface Colors {
  text: string;
  grid: string;
  lines: string[];
}

export function chartColors(): Colors {
  return {
    text: themeColor("muted"),
    grid: themeColor("line"),
    lines: Array.from({ length: PALETTE_LINES }, (_, index) => themeColor(`chart-${index + 1}`)),
  };
}

/** Both axes: quiet grid, 24-hour times, and steps of powers of two for bytes. */
export function axes(unit: Unit, colors: Colors): uPlot.Axis[] {
  const shared = {
    stroke: colors.text,
    font: AXIS_FONT,
    grid: { stroke: colors.grid, width: 1 },
    ticks: { show: false },
  };
  const binary = unit === "bytes" || unit === "rate";
  return [
    { ...shared, size: timeAxisHeight, gap: 4, values: TIME_VALUES, space: 70 },
    {
      ...shared,
      size: AXIS_PX,
      gap: 6,
      space: 32,
      values: (_: uPlot, splits: number[]) => splits.map((value) => axisText(unit, value)),
      ...(binary ? { incrs: KIB_STEPS } : {}),
    },
  ];
}

function axisText(unit: Unit, value: number): string {
  if (value === 0) return "0";
  if (unit === "percent") return `${Number(value.toFixed(2))} %`;
  if (unit === "number" || unit === "operations")
    return value.toLocaleString("en", { maximumFractionDigits: 2 });
  return FORMAT[unit](value).replace(/\.00?(?=\D)/, "");
}

/** A second line of text, the day, needs its room. */
const timeAxisHeight = (_: uPlot, values: string[] | null): number =>
  values?.some((text) => text?.includes("\n")) ? 40 : 24;

const SECOND = 1;
const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;

/** uPlot's rows: smallest step, text, then the text at each change of year, month, day, hour, minute. */
const TIME_VALUES: (string | number | null)[][] = [
  [DAY, "{D} {MMM}", "\n{YYYY}", null, null, null, null, null, 1],
  [HOUR, "{HH}:{mm}", "\n{D} {MMM}", null, "\n{D} {MMM}", null, null, null, 1],
  [MINUTE, "{HH}:{mm}", null, null, null, null, null, null, 1],
  [SECOND, "{HH}:{mm}:{ss}", null, null, null, null, null, null, 1],
];

/** Range of a vertical axis: from zero, with air above, and never so narrow that noise fills it. */
export function verticalRange(unit: Unit, top: number | undefined) {
  return (_: uPlot, _low: number | null, high: number | null): uPlot.Range.MinMax => {
    if (top !== undefined) return [0, Math.max(top, high ?? top)];
    const smallest = unit === "bytes" || unit === "rate" ? 1024 : 1;
    return [0, Math.max(smallest, (high ?? 0) * 1.08)];
  };
}
