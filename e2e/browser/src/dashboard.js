// The dashboard as a person uses it: by labels, buttons and headings.

import { eventually } from "./deadline.js";

export const OWNER = { name: "owner", password: "correct horse battery staple" };

/** Opens the one-time link and makes the first account. */
export async function setUp(page, link) {
  await page.goto(link);
  await page.getByRole("heading", { name: "Set up this server" }).waitFor();
  await page.getByLabel("Name", { exact: true }).fill(OWNER.name);
  await page.getByLabel("Password", { exact: true }).fill(OWNER.password);
  await page.getByLabel("Password again", { exact: true }).fill(OWNER.password);
  await page.getByRole("button", { name: "Create account" }).click();
  await page.getByRole("heading", { name: "Fleet", exact: true }).waitFor();
}

export async function logIn(page, account = OWNER) {
  await page.getByRole("heading", { name: "Log in", exact: true }).waitFor();
  await page.getByLabel("Name", { exact: true }).fill(account.name);
  await page.getByLabel("Password", { exact: true }).fill(account.password);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("navigation", { name: "Pages" }).waitFor();
}

/** Goes to a page by its link in the header. */
export async function goTo(page, name) {
  await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name, exact: true }).click();
  await page.getByRole("heading", { name, exact: true, level: 1 }).waitFor();
}

/** Makes a key on the keys page and gives its text, which is shown this once. */
export async function createKey(page, label) {
  await goTo(page, "Keys");
  await page.getByLabel("Label", { exact: true }).fill(label);
  await page.getByRole("button", { name: "Create key" }).click();
  const key = await page.getByTestId("key-text").innerText();
  await page.getByRole("button", { name: "I have copied it" }).click();
  return key.trim();
}

/** The fleet's line of a host. */
export const rowOf = (page, host) => page.locator(`[role="row"][data-host="${host}"]`);

/** Waits until a host's line shows it live, or not. */
export async function waitForState(page, host, live) {
  const row = rowOf(page, host);
  await eventually(`${host} is shown as ${live ? "live" : "not live"}`, async () => {
    const state = (await row.count()) > 0 ? await row.getAttribute("data-state") : null;
    return state !== null && (state === "live") === live;
  });
}

/** The CPU column of a host, 0 to 100; null before the first reading. */
export async function cpuPercent(page, host) {
  const text = await rowOf(page, host).locator('[role="cell"].num.value').first().innerText();
  const number = Number.parseFloat(text);
  return Number.isNaN(number) ? null : number;
}

/** The last points of a host's CPU chart, as its legend says them with the cursor there: null where nothing is drawn. */
export async function drawnCpu(page, points) {
  const texts = await page.evaluate((points) => {
    const slider = document.querySelector(".cursor-slider");
    const legend = document.querySelector('[data-chart="cpu"] .legend b');
    if (!slider || !legend) return [];
    const last = Number(slider.max);
    const shown = [];
    for (let index = Math.max(0, last + 1 - points); index <= last; index += 1) {
      // Set as an arrow key sets it: an assignment would go unnoticed by React.
      Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(slider, String(index));
      slider.dispatchEvent(new Event("input", { bubbles: true }));
      shown.push(legend.textContent);
    }
    slider.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }));
    return shown;
  }, points);
  return texts.map((text) => {
    const number = Number.parseFloat(text);
    return Number.isNaN(number) ? null : number;
  });
}

/** What the strip under the CPU chart says of how complete the readings are. */
export async function completeness(page) {
  const label = await page.locator('[data-chart="cpu"] .strip').getAttribute("aria-label");
  return label.replace("Completeness: ", "");
}
