// Waiting for conditions. A test waits for what it expects, and for nothing else; on a loaded machine that may take
// long, so the deadline is far above what an idle one needs.

import { setTimeout as pause } from "node:timers/promises";

export const DEADLINE_MS = 180_000;
const LOOK_EVERY_MS = 50;

/** The first value of `look` that is not null, undefined or false. */
export async function eventually(what, look, deadlineMs = DEADLINE_MS) {
  const end = Date.now() + deadlineMs;
  for (;;) {
    const value = await look();
    if (value) return value;
    if (Date.now() > end) throw new Error(`not within ${deadlineMs / 1000} s: ${what}`);
    await pause(LOOK_EVERY_MS);
  }
}
