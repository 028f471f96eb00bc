import { describe, expect, it } from "vitest";
import { fleetLines, labelNames, type View } from "../src/live/fleet-order";
import { FleetStore } from "../src/live/fleet-store";
import { host, row, withCores } from "./fixtures";

const VIEW: View = { filter: "", sort: "name", descending: false, groupBy: "" };

const store = new FleetStore(() => undefined);
store.welcome(
  {
    protocol_major: 1,
    protocol_minor: 0,
    server_unix_ms: 0,
    server_version: "0",
    hosts: [
      host("node-10", { labels: { role: "web" }, latest: row("node-10", { cpu_used_percent: 10 }) }),
      host("node-2", { labels: { role: "db" }, latest: row("node-2", { cpu_used_percent: 90 }) }),
      withCores("node-1", 4, { online: false }),
    ],
  },
  0,
);

const keys = (view: Partial<View>) =>
  fleetLines(store.hosts.values(), { ...VIEW, ...view }).map((line) => line.key);

describe("lines of the fleet table", () => {
  it("sort names as people count", () => {
    expect(keys({})).toEqual(["node-1", "node-2", "node-10"]);
  });

  it("put hosts without a number last in both directions", () => {
    expect(keys({ sort: "cpu" })).toEqual(["node-10", "node-2", "node-1"]);
    expect(keys({ sort: "cpu", descending: true })).toEqual(["node-2", "node-10", "node-1"]);
  });

  it("filter by name, state, address and label, all words together", () => {
    expect(keys({ filter: "NODE-1" })).toEqual(["node-1", "node-10"]);
    expect(keys({ filter: "role=db" })).toEqual(["node-2"]);
    expect(keys({ filter: "down 10.0.0.7" })).toEqual(["node-1"]);
    expect(keys({ filter: "down role=db" })).toEqual([]);
  });

  it("group by a label, those without it last", () => {
    expect(keys({ groupBy: "role" })).toEqual([
      "group:db",
      "node-2",
      "group:web",
      "node-10",
      "group:",
      "node-1",
    ]);
    expect(labelNames(store.hosts.values())).toEqual(["role"]);
  });
});
