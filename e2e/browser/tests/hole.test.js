// The server is away for a while under a running client and an open page: afterwards nothing of that time is missing.

import assert from "node:assert/strict";
import { hostname } from "node:os";
import { after, before, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { openBrowser, openPage, screenshot } from "../src/browser.js";
import { completeness, createKey, drawnCpu, goTo, rowOf, setUp, waitForState } from "../src/dashboard.js";
import { DEADLINE_MS, eventually } from "../src/deadline.js";
import { System } from "../src/system.js";

const HOST = hostname();
/** How long the server is away: the scenario itself, not a wait for something. */
const AWAY_MS = 20_000;
/** Points looked at: the whole of this test, even where each step takes its time. */
const POINTS = 600;
/** Share of the seconds that are there at least: a machine under heavy load lets a client miss one now and then. */
const NEARLY_ALL = 0.95;
/** The page asks for the past anew each half minute, and the client may be in the middle of a long pause. */
const FILLED_WITHIN_MS = 2 * DEADLINE_MS;

describe("a server that was away", () => {
  let system;
  let browser;
  let page;
  let drawnBefore;
  let failed = true;

  before(async () => {
    system = await System.start();
    browser = await openBrowser();
    page = await openPage(browser);
    await setUp(page, system.setupLink);
    await system.startClient(await createKey(page, "this machine"));
    await goTo(page, "Fleet");
    await waitForState(page, HOST, true);
    await rowOf(page, HOST).getByRole("link", { name: HOST }).click();
    await page.locator(".charts canvas").first().waitFor();
  });

  after(async () => {
    if (failed && system) console.log(system.logs());
    await browser?.close();
    await system?.end();
  });

  it("has drawn a machine of which nothing is missing", async () => {
    await eventually("some seconds are drawn, and all of them", async () => {
      const line = await lineOf(page);
      drawnBefore = line.drawn;
      return line.drawn >= 5 && line.share >= NEARLY_ALL && (await saysComplete(page));
    });
  });

  it("leaves a page that says so, and draws nothing new", async () => {
    await system.server.end();
    await page.getByTestId("link-down").waitFor();
    const { drawn } = await lineOf(page);
    await pause(AWAY_MS);
    assert.ok(await page.getByTestId("link-down").isVisible(), "the page says that it is not connected");
    assert.equal((await lineOf(page)).drawn, drawn);
    await screenshot(page, "hole-open");
  });

  it("is back, and the chart fills the hole", async () => {
    await system.restartServer();
    await page.locator('.page[data-state="live"]').waitFor();
    const awaySeconds = AWAY_MS / 1_000;
    await eventually(
      "the seconds without a server are drawn",
      async () => {
        const line = await lineOf(page);
        return line.drawn >= drawnBefore + awaySeconds * NEARLY_ALL && line.share >= NEARLY_ALL;
      },
      FILLED_WITHIN_MS,
    );
  });

  it("turns the strip complete", async () => {
    await eventually("nothing is missing any more", () => saysComplete(page), FILLED_WITHIN_MS);
    await screenshot(page, "hole-filled");
  });

  it("met no error in the browser", () => {
    assert.deepEqual(page.problems, []);
    failed = false;
  });
});

/** How many seconds the CPU chart draws, and their share of those from its first to its newest one. */
async function lineOf(page) {
  const points = await drawnCpu(page, POINTS);
  const there = points.map((value) => value !== null);
  const [first, last] = [there.indexOf(true), there.lastIndexOf(true)];
  const drawn = there.filter(Boolean).length;
  return { drawn, share: drawn / (last - first + 1) };
}

/** Whether the strip lacks nothing but what the client itself has missed. */
async function saysComplete(page) {
  const text = await completeness(page);
  if (text.startsWith("Complete: ")) return true;
  return Number.parseFloat(text) >= 100 * NEARLY_ALL && !text.includes("not received yet");
}
