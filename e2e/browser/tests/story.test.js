// One person, one browser, one machine: from a fresh server to a closed session. The steps build on each other.

import assert from "node:assert/strict";
import { availableParallelism, hostname } from "node:os";
import { after, before, describe, it } from "node:test";
import { openBrowser, openPage } from "../src/browser.js";
import { cpuPercent, createKey, goTo, logIn, rowOf, setUp, waitForState } from "../src/dashboard.js";
import { eventually } from "../src/deadline.js";
import { System } from "../src/system.js";

const HOST = hostname();
/** With a loop on each core the machine is busy, whatever else it does. */
const BUSY_PERCENT = 80;

describe("a person with one machine", () => {
  let system;
  let browser;
  let page;
  let key;
  let client;
  let failed = true;

  before(async () => {
    system = await System.start();
    browser = await openBrowser();
    page = await openPage(browser);
  });

  after(async () => {
    if (failed && system) console.log(system.logs());
    await browser?.close();
    await system?.end();
  });

  it("sets up the fresh server by its one-time link", async () => {
    await setUp(page, system.setupLink);
    await page.getByRole("heading", { name: "No hosts yet" }).waitFor();
  });

  it("cannot use that link twice", async () => {
    const answer = await page.request.post(`${system.origin}/api/v1/setup`, {
      headers: { origin: system.origin },
      data: { token: new URL(system.setupLink).hash.slice(1), name: "intruder", password: "intruder intruder" },
    });
    assert.ok(answer.status() >= 400 && answer.status() < 500, `status ${answer.status()}`);
  });

  it("makes a key, which is shown once", async () => {
    key = await createKey(page, "this machine");
    assert.match(key, /^mf_[0-9A-Za-z]{20,}$/);
    await page.getByRole("cell", { name: "this machine", exact: true }).waitFor();
    assert.equal(await page.getByText(key).count(), 0);
  });

  it("sees the machine come to life", async () => {
    client = await system.startClient(key);
    await goTo(page, "Fleet");
    await waitForState(page, HOST, true);
  });

  it("sees its CPU move under load", async () => {
    const loops = Array.from({ length: availableParallelism() }, () =>
      system.run(process.execPath, ["-e", "for (;;);"]),
    );
    try {
      await eventually("the CPU column shows the load", async () => (await cpuPercent(page, HOST)) >= BUSY_PERCENT);
    } finally {
      for (const loop of loops) await loop.end("SIGKILL");
    }
  });

  it("opens the machine and sees its charts", async () => {
    await rowOf(page, HOST).getByRole("link", { name: HOST }).click();
    await page.getByRole("heading", { name: HOST, level: 1 }).waitFor();
    await page.locator(".charts canvas").first().waitFor();
  });

  it("asks the machine for its processes, and sorts them", async () => {
    await page.getByRole("button", { name: "Processes", exact: true }).click();
    const table = page.getByRole("region", { name: "List of processes" });
    await table.getByRole("row").nth(1).waitFor();
    await table.getByRole("button", { name: "PID" }).focus();
    await page.keyboard.press("Enter");
    const head = table.getByRole("columnheader", { name: "PID" });
    assert.equal(await head.getAttribute("aria-sort"), "descending");
    const pids = async () => (await table.locator("tbody td:first-child").allInnerTexts()).map(Number);
    const shown = await pids();
    assert.ok(shown.length > 1 && shown.every((pid) => pid > 0), `no process numbers: ${shown}`);
    assert.deepEqual(shown, shown.toSorted((left, right) => right - left));
    assert.match(page.url(), /[?&]now=processes/);
  });

  it("cannot ask a machine that is gone, is told so, and sees its last answer", async () => {
    await client.end("SIGKILL");
    await page.getByText("is offline, so it cannot be asked").waitFor();
    await page.getByText("Last answered at").waitFor();
    await page.getByRole("region", { name: "List of processes" }).getByRole("row").nth(1).waitFor();
    client = await system.startClient(key);
    await page.getByText(/^Answered at/).waitFor();
    await goTo(page, "Fleet");
    await waitForState(page, HOST, true);
  });

  it("finds no host at an address that was cut off", async () => {
    await page.evaluate(() => {
      window.history.pushState(null, "", "/hosts/%E0%A4");
      window.dispatchEvent(new PopStateEvent("popstate"));
    });
    await page.getByRole("heading", { name: "There is no such page" }).waitFor();
    await goTo(page, "Fleet");
  });

  it("sees it go grey when its client is killed", async () => {
    await client.end("SIGKILL");
    await waitForState(page, HOST, false);
    await page.locator(`[data-host="${HOST}"].stale`).waitFor();
  });

  it("sees the same line come back with the client", async () => {
    client = await system.startClient(key);
    await waitForState(page, HOST, true);
    assert.equal(await rowOf(page, HOST).count(), 1);
  });

  it("revokes the key, which cuts the machine off at once", async () => {
    await goTo(page, "Keys");
    await page.getByRole("button", { name: "Revoke this machine" }).click();
    await page.getByRole("button", { name: "Revoke key" }).click();
    await page.getByRole("heading", { name: "No keys yet" }).waitFor();
    await goTo(page, "Fleet");
    await waitForState(page, HOST, false);
  });

  it("logs out, which closes the live socket", async () => {
    const open = page.sockets.filter((socket) => !socket.isClosed());
    assert.ok(open.length > 0, "a live socket is open");
    await goTo(page, "Account");
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByRole("heading", { name: "Log in", exact: true }).waitFor();
    await eventually("every live socket is closed", () => page.sockets.every((socket) => socket.isClosed()));
  });

  it("logs in again and finds the machine", async () => {
    await logIn(page);
    await goTo(page, "Fleet");
    await rowOf(page, HOST).waitFor();
  });

  it("met no error in the browser", () => {
    assert.deepEqual(page.problems, []);
    failed = false;
  });
});
