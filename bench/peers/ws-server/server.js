// What the benchmarks compare with: a lean relay on the library `ws`, as one would write it by hand for this work.
//
// Hosts and viewers connect by WebSocket. The newest message of each host is kept in memory and passed on to every
// viewer at once, as it came. That is all. It has no accounts and checks nobody, keeps no history, acknowledges and
// repeats nothing, gathers nothing into frames, reads nothing of what it passes on, and puts no bound on what waits
// for a viewer that does not read. Each of these would cost it time or memory, and our server does all of them.
//
// The benchmark owns this process: GREETING (hexadecimal) is what a host's hello is answered with; each line on standard
// input asks for a garbage collection, so that memory is read without what is no longer used; its end is the end.

import { createServer } from "node:http";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { WebSocketServer } from "ws";

const HOSTS_PATH = "/api/v1/node";
/** As our server's limit for a frame. */
const MESSAGE_BYTES_MAX = 64 * 1024;
const GREETING = Buffer.from(process.env.GREETING ?? "", "hex");

const newest = new Map();
const viewers = new Set();

function onHello() {
  this.off("message", onHello);
  this.on("message", onBatch);
  this.send(GREETING);
}

function onBatch(message) {
  newest.set(this, message);
  for (const viewer of viewers) viewer.send(message);
}

function onHostClose() {
  newest.delete(this);
}

function onViewerClose() {
  viewers.delete(this);
}

/** The socket closes by itself after an error; nobody needs to hear of it. */
function onError() {}

const http = createServer();
const sockets = new WebSocketServer({
  server: http,
  clientTracking: false,
  perMessageDeflate: false,
  maxPayload: MESSAGE_BYTES_MAX,
});

sockets.on("connection", (socket, request) => {
  socket.on("error", onError);
  if (request.url === HOSTS_PATH) {
    socket.on("message", onHello);
    socket.on("close", onHostClose);
  } else {
    socket.on("close", onViewerClose);
    for (const message of newest.values()) socket.send(message);
    viewers.add(socket);
  }
});

http.listen(0, "127.0.0.1", () => {
  const { version } = createRequire(import.meta.url)("ws/package.json");
  const { address, port } = http.address();
  say({ address: `${address}:${port}`, name: `ws ${version} on Node ${process.versions.node}` });
});

const orders = createInterface({ input: process.stdin });
orders.on("line", () => {
  globalThis.gc?.();
  say({ collected: true });
});
orders.on("close", () => process.exit());

/** One line of JSON for the benchmark. */
function say(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
