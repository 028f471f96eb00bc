// Every page in both themes and on both widths: no violation that axe knows, and a picture of each.

import assert from "node:assert/strict";
import { hostname } from "node:os";
import { after, before, describe, it } from "node:test";
import axe from "axe-core";
import { openBrowser, openPage, screenshot } from "../src/browser.js";
import { createKey, goTo, rowOf, setUp, waitForState } from "../src/dashboard.js";
import { eventually } from "../src/deadline.js";
import { System } from "../src/system.js";

const HOST = hostname();
const SIMULATED = 11;
const LOOKS = ["light", "dark"].flatMap((theme) =>
  [
    { width: 1280, height: 800 },
    { width: 360, height: 740 },
  ].map((size) => ({ theme, size })),
);

describe("every page is usable by everyone", () => {
  let system;
  let browser;
  let page;
  let hostPath;
  let failed = true;

  before(async () => {
    system = await System.start();
    browser = await openBrowser();
    page = await openPage(browser);
    await setUp(page, system.setupLink);
    const key = await createKey(page, "rack 3");
    await system.startClient(key);
    await system.startSimulatedHosts(key, SIMULATED);
    await goTo(page, "Fleet");
    await waitForState(page, HOST, true);
    await eventually("all hosts are shown", async () => (await page.locator("[data-host]").count()) > SIMULATED);
    hostPath = await rowOf(page, HOST).getByRole("link", { name: HOST }).getAttribute("href");
  });

  after(async () => {
    if (failed && system) console.log(system.logs());
    await browser?.close();
    await system?.end();
  });

  const pages = [
    {
      name: "fleet",
      path: () => "/",
      ready: async () => {
        await rowOf(page, HOST).waitFor();
        const others = page.locator('[data-host]:not([data-state="live"])');
        await eventually("every host is live", async () => (await others.count()) === 0);
      },
    },
    { name: "host", path: () => hostPath, ready: () => page.locator(".charts canvas").first().waitFor() },
    {
      name: "processes",
      path: () => `${hostPath}?now=processes`,
      ready: () => page.getByRole("region", { name: "List of processes" }).getByRole("row").nth(1).waitFor(),
    },
    {
      name: "compare",
      path: () => `/compare?hosts=${hostPath.split("/").at(-1)}`,
      ready: () => page.locator(".charts canvas").first().waitFor(),
    },
    { name: "keys", path: () => "/keys", ready: () => page.getByRole("table").waitFor() },
    {
      name: "account",
      path: () => "/account",
      ready: () => page.getByRole("heading", { name: "Account", level: 1 }).waitFor(),
    },
  ];
  for (const { name, path, ready } of pages) {
    for (const { theme, size } of LOOKS) {
      it(`${name}, ${theme}, ${size.width} wide`, async () => {
        await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
        await page.setViewportSize(size);
        await page.goto(system.origin + path());
        await ready();
        await check(page, `${name}-${theme}-${size.width}`);
      });
    }
  }

  it("log in, in both themes and widths", async () => {
    await page.setViewportSize({ width: 1280, height: 800 });
    await goTo(page, "Account");
    await page.getByRole("button", { name: "Log out" }).click();
    for (const { theme, size } of LOOKS) {
      await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
      await page.setViewportSize(size);
      await page.getByRole("heading", { name: "Log in", exact: true }).waitFor();
      await check(page, `login-${theme}-${size.width}`);
    }
  });

  it("set up, on a server without an account, in both themes and widths", async () => {
    const fresh = await System.start();
    try {
      await page.goto(fresh.setupLink);
      for (const { theme, size } of LOOKS) {
        await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
        await page.setViewportSize(size);
        await page.getByRole("heading", { name: "Set up this server" }).waitFor();
        await check(page, `setup-${theme}-${size.width}`);
      }
    } finally {
      await fresh.end();
    }
  });

  it("met no error in the browser", () => {
    assert.deepEqual(page.problems, []);
    failed = false;
  });
});

/** No violation, no sideways scrolling, and a picture. */
async function check(page, name) {
  await screenshot(page, name);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok(overflow <= 0, `the page is ${overflow} px wider than the window`);
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join("  ")}`);
  assert.deepEqual(found, []);
}
