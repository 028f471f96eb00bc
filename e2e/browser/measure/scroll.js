// The fleet page under 1,000 hosts at 1 Hz: how regularly it is drawn, at rest and while it scrolls.
// Started by `cargo xtask bench --only browser`; prints one line of JSON.

import { openBrowser, openPage } from "../src/browser.js";
import { createKey, goTo, setUp } from "../src/dashboard.js";
import { eventually } from "../src/deadline.js";
import { System } from "../src/system.js";

const HOSTS = 1000;
const STRETCH_MS = 20_000;
// Time for the first samples of every host, and for the sparklines' first seconds.
const SETTLE_MS = 15_000;
// A quick hand on a wheel: about twenty rows a second.
const PIXELS_PER_SECOND = 800;

/** Intervals between animation frames in milliseconds, while the page scrolls at a speed; 0 leaves it at rest. */
function frames([stretchMs, speed]) {
  return new Promise((done) => {
    const scrollers = [...document.querySelectorAll("*")].filter(
      (one) => one.scrollHeight > one.clientHeight + 1000 && getComputedStyle(one).overflowY !== "visible",
    );
    const scroller = scrollers[0] ?? document.scrollingElement;
    const reach = scroller.scrollHeight - scroller.clientHeight;
    const intervals = [];
    let first;
    let last;
    const draw = (now) => {
      first ??= now;
      if (last !== undefined) intervals.push(now - last);
      last = now;
      // There and back, so that it never stops at an end.
      const way = (((now - first) / 1000) * speed) % (2 * reach);
      if (speed > 0) scroller.scrollTop = way < reach ? way : 2 * reach - way;
      if (now - first < stretchMs) requestAnimationFrame(draw);
      else done({ intervals, reach, rows: document.querySelectorAll("[data-host]").length });
    };
    requestAnimationFrame(draw);
  });
}

/** Percentiles, and the share of 60 Hz frames that were not drawn. */
function summary({ intervals, reach, rows }) {
  const sorted = intervals.toSorted((left, right) => left - right);
  const at = (share) => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
  const total = sorted.reduce((sum, one) => sum + one, 0);
  const due = total / (1000 / 60);
  return {
    p50_ms: at(0.5),
    p95_ms: at(0.95),
    p99_ms: at(0.99),
    frames_per_second: (sorted.length / total) * 1000,
    dropped_percent: Math.max(0, (1 - sorted.length / due) * 100),
    reach,
    rows,
  };
}

let browser;
const system = await System.start();
try {
  browser = await openBrowser();
  const page = await openPage(browser);
  await setUp(page, system.setupLink);
  const key = await createKey(page, "benchmark");
  const empty = await page.evaluate(frames, [STRETCH_MS / 4, 0]);
  await system.startSimulatedHosts(key, HOSTS);
  await goTo(page, "Fleet");
  await eventually("hosts are shown", async () => (await page.locator('[data-state="live"]').count()) > 5);
  await page.waitForTimeout(SETTLE_MS);
  const rest = await page.evaluate(frames, [STRETCH_MS, 0]);
  const scroll = await page.evaluate(frames, [STRETCH_MS, PIXELS_PER_SECOND]);
  if (scroll.reach < 10_000) throw new Error(`the page scrolls over ${scroll.reach} px only: not all hosts are there`);
  console.log(JSON.stringify({ empty: summary(empty), rest: summary(rest), scroll: summary(scroll) }));
} catch (error) {
  console.error(system.logs());
  throw error;
} finally {
  await browser?.close();
  await system.end();
}
