// Opens the dashboard of a system that runs somewhere, logs in, and waits until it shows hosts live:
//
//   node src/look.js ORIGIN ACCOUNT_FILE HOST...
//
// The file has the log-in as JSON, `name` and `password`, as the deployer writes it down.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { openBrowser, openPage, screenshot } from "./browser.js";
import { logIn, rowOf, waitForState } from "./dashboard.js";

const [origin, accountFile, ...hosts] = process.argv.slice(2);
const account = JSON.parse(await readFile(accountFile, "utf8"));
const browser = await openBrowser();
try {
  const page = await openPage(browser);
  await page.goto(origin);
  await logIn(page, account);
  for (const host of hosts) await waitForState(page, host, true);
  assert.equal(await page.locator('[role="row"][data-host]').count(), hosts.length);
  await rowOf(page, hosts[0]).getByRole("link", { name: hosts[0] }).click();
  await page.getByRole("heading", { name: hosts[0], level: 1 }).waitFor();
  await screenshot(page, "rollout");
  assert.deepEqual(page.problems, []);
  console.log(`${hosts.length} hosts are live`);
} finally {
  await browser.close();
}
