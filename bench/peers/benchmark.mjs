// What the peers share: how they are told what to do, and how they say what they are.
//
// The benchmark owns the process: GREETING (hexadecimal) is what a host's hello is answered with; each line on standard
// input asks for a garbage collection, so that memory is read without what is no longer used; its end is the end.

import { createServer } from "node:http";
import { createInterface } from "node:readline";

/** What hosts wait for after their hello. */
export const GREETING = Buffer.from(process.env.GREETING ?? "", "hex");
/** As our server's limit for a frame. */
export const MESSAGE_BYTES_MAX = 64 * 1024;

/** An HTTP server on a port of loopback that says where it listens, and obeys until standard input ends. */
export function serve(library) {
  const http = createServer();
  http.listen(0, "127.0.0.1", () => {
    const { address, port } = http.address();
    say({ address: `${address}:${port}`, name: `${library} on Node ${process.versions.node}` });
  });
  const orders = createInterface({ input: process.stdin });
  orders.on("line", () => {
    globalThis.gc?.();
    say({ collected: true });
  });
  orders.on("close", () => process.exit());
  return http;
}

/** One line of JSON for the benchmark. */
function say(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
