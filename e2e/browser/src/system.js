// The system under test: a real server on a store of its own, and real node-clients.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "./deadline.js";
import { built, Program } from "./program.js";

export class System {
  static async start() {
    const system = new System();
    system.folder = await mkdtemp(join(tmpdir(), "metric-flow-browser-"));
    system.programs = [];
    system.clients = 0;
    system.server = system.runServer("127.0.0.1:0");
    system.origin = await eventually("the server listens", () => system.server.line("listening on "));
    system.setupLink = await eventually("the set-up link", () =>
      system.server.line("set up the first account at "),
    );
    return system;
  }

  run(path, args) {
    const program = new Program(path, args);
    this.programs.push(program);
    return program;
  }

  runServer(listen) {
    const store = `embedded:${join(this.folder, "store")}`;
    return this.run(built("SOCKET_SERVER"), ["serve", "--listen", listen, "--store", store]);
  }

  /** Starts the server that has ended again: on its store, and at its address as soon as that is free. */
  async restartServer() {
    const { host } = new URL(this.origin);
    await eventually("the server listens where it did", () => {
      if (!this.server.running) this.server = this.runServer(host);
      return this.server.output.includes(`listening on ${this.origin}\n`);
    });
  }

  async keyFile(key) {
    const path = join(this.folder, `key-${key.slice(-8)}`);
    await writeFile(path, key, { mode: 0o600 });
    return path;
  }

  /** This machine's node-client. The same spool makes it the same numbering again. */
  async startClient(key) {
    return this.run(built("NODE_CLIENT"), [
      "connect",
      "--server",
      this.origin,
      "--api-key-file",
      await this.keyFile(key),
      "--spool-dir",
      join(this.folder, "spool"),
    ]);
  }

  /** Simulated hosts beside it. */
  async startSimulatedHosts(key, count) {
    return this.run(built("LOAD_GENERATOR"), [
      "hosts",
      "--server",
      new URL(this.origin).host,
      "--api-key-file",
      await this.keyFile(key),
      "--hosts",
      String(count),
    ]);
  }

  /** What all programs have logged, for a test that failed. */
  logs() {
    return this.programs.map((program) => program.output + program.log).join("\n---\n");
  }

  async end() {
    for (const program of this.programs.toReversed()) await program.end();
    await rm(this.folder, { recursive: true, force: true });
  }
}
