import type uPlot from "uplot";

/** Charts on the page, for the slider that moves the shared cursor by keyboard. */
const charts = new Set<uPlot>();

export function joinCursor(chart: uPlot): () => void {
  charts.add(chart);
  return () => charts.delete(chart);
}

/** Puts the cursor of all charts at an instant; null takes it away. */
export function moveCursor(timeMs: number | null): void {
  for (const chart of charts) {
    const left = timeMs === null ? -10 : chart.valToPos(timeMs / 1000, "x");
    chart.setCursor({ left, top: timeMs === null ? -10 : 20 }, false);
  }
}
