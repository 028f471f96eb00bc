// The README's picture: the fleet page after two minutes of live data, so that every sparkline is full.
//
//   cargo build --release --package metric-flow-socket-server --package metric-flow-node-client --package metric-flow-bench
//   cd e2e/browser && npm ci && SOCKET_SERVER=… NODE_CLIENT=… LOAD_GENERATOR=… node measure/picture.js ../../docs/images/fleet.png

import { openBrowser, openPage } from "../src/browser.js";
import { createKey, goTo, setUp } from "../src/dashboard.js";
import { eventually } from "../src/deadline.js";
import { System } from "../src/system.js";

const SIMULATED = 12;
const LIVE_MS = 125_000;
const SIZE = { width: 1440, height: 830 };

const place = process.argv[2];
if (!place) throw new Error("say where the picture goes: node measure/picture.js FILE");

let browser;
const system = await System.start();
try {
  browser = await openBrowser();
  const page = await openPage(browser);
  await page.setViewportSize(SIZE);
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  await setUp(page, system.setupLink);
  const key = await createKey(page, "rack 3");
  await system.startClient(key);
  await system.startSimulatedHosts(key, SIMULATED);
  await goTo(page, "Fleet");
  await eventually("all hosts are live", async () => (await page.locator('[data-state="live"]').count()) > SIMULATED);
  await page.waitForTimeout(LIVE_MS);
  await page.mouse.move(0, 0);
  await page.screenshot({ path: place, animations: "disabled" });
} finally {
  await browser?.close();
  await system.end();
}
