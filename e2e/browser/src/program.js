// A program under test: started with a log, and ended with the test.

import { spawn } from "node:child_process";
import { once } from "node:events";

/** The path that `cargo xtask test` hands over for a freshly built program. */
export function built(name) {
  const path = process.env[name];
  if (!path) throw new Error(`${name} is not set; run the tests with: cargo xtask test --only browser`);
  return path;
}

export class Program {
  constructor(path, args) {
    this.output = "";
    this.log = "";
    this.child = spawn(path, args, { stdio: ["ignore", "pipe", "pipe"] });
    this.child.stdout.setEncoding("utf8").on("data", (text) => {
      this.output += text;
    });
    this.child.stderr.setEncoding("utf8").on("data", (text) => {
      this.log += text;
    });
    this.ended = once(this.child, "exit");
    this.ended.catch(() => {});
  }

  get running() {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** The rest of the first whole line of output that begins with `prefix`. */
  line(prefix) {
    if (!this.running) throw new Error(`the program has ended: ${this.output}${this.log}`);
    const whole = this.output.slice(0, this.output.lastIndexOf("\n") + 1);
    return whole
      .split("\n")
      .find((line) => line.startsWith(prefix))
      ?.slice(prefix.length)
      .trim();
  }

  async end(signal = "SIGTERM") {
    if (this.running) {
      this.child.kill(signal);
      await this.ended;
    }
  }
}
