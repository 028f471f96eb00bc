import type uPlot from "uplot";

/** The one cursor of all charts on a page: moved by the mouse over any of them, and by keyboard. */

type Listener = (timeMs: number | null) => void;

/** Where uPlot has no cursor. */
const OUTSIDE = -10;
const charts = new Set<uPlot>();
const listeners = new Set<Listener>();
let current: number | null = null;

export function joinCursor(chart: uPlot): () => void {
  charts.add(chart);
  return () => charts.delete(chart);
}

/** For what follows the cursor and is no uPlot. */
export function onCursor(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Told by each chart; the same instant from many charts is one move. */
export function cursorMoved(timeMs: number | null): void {
  if (timeMs === current) return;
  current = timeMs;
  for (const listener of [...listeners]) listener(timeMs);
}

/** Puts the cursor of all charts at an instant; null takes it away. */
export function moveCursor(timeMs: number | null): void {
  // uPlot tells the others of a mouse only, not of a cursor that was set.
  for (const chart of charts) {
    const left = timeMs === null ? OUTSIDE : chart.valToPos(timeMs / 1000, "x");
    chart.setCursor({ left, top: timeMs === null ? OUTSIDE : 0 });
  }
}
