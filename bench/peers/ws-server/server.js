// What the benchmarks compare with: a lean relay on the library `ws`, as one would write it by hand for this work.
//
// Hosts and viewers connect by WebSocket. The newest message of each host is kept in memory and passed on to every
// viewer at once, as it came. That is all. It has no accounts and checks nobody, keeps no history, acknowledges and
// repeats nothing, gathers nothing into frames, reads nothing of what it passes on, and puts no bound on what waits
// for a viewer that does not read. Each of these would cost it time or memory, and our server does all of them.

import { createRequire } from "node:module";
import { WebSocketServer } from "ws";
import { GREETING, MESSAGE_BYTES_MAX, serve } from "../benchmark.mjs";

const HOSTS_PATH = "/api/v1/node";

const newest = new Map();
const viewers = new Set();

const sockets = new WebSocketServer({
  server: serve(`ws ${createRequire(import.meta.url)("ws/package.json").version}`),
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
