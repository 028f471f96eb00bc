// What the benchmarks compare with: the same relay as in ../ws-server/ on socket.io, the stack that this field's
// tutorials teach. One process, the adapter in memory, WebSocket as the only transport; all else as it comes.
//
// Hosts send the events `hello` and `batch`; viewers are in a room that each batch is passed on to, as it came. What
// the other relay leaves out is left out here too. Heartbeats, rooms and event names are socket.io's own.

import { createRequire } from "node:module";
import { Server } from "socket.io";
import { GREETING, MESSAGE_BYTES_MAX, serve } from "../benchmark.mjs";

const VIEWERS = "viewers";

const newest = new Map();

const { version } = createRequire(import.meta.url)("socket.io/package.json");
const io = new Server(serve(`socket.io ${version}`), {
  transports: ["websocket"],
  serveClient: false,
  maxHttpBufferSize: MESSAGE_BYTES_MAX,
});

io.on("connection", (socket) => {
  if (socket.handshake.query.role === "viewer") {
    for (const message of newest.values()) socket.emit("batch", message);
    socket.join(VIEWERS);
    return;
  }
  socket.on("hello", () => socket.emit("hello_ack", GREETING));
  socket.on("batch", (message) => {
    newest.set(socket.id, message);
    io.to(VIEWERS).emit("batch", message);
  });
  socket.on("disconnect", () => newest.delete(socket.id));
});
