import { describe, expect, it } from "vitest";
import { FleetStore } from "../src/live/fleet-store";
import { totals } from "../src/live/fleet-summary";
import type { HostSummary } from "../src/protocol.generated";
import { host, row, withCores } from "./fixtures";

/** A store whose animation frames come when the test says. */
function storeWith(...hosts: HostSummary[]) {
  const frames: (() => void)[] = [];
  const store = new FleetStore((flush) => frames.push(flush));
  const nextFrame = () => {
    for (const flush of frames.splice(0)) flush();
  };
  store.welcome(welcome(hosts), 1_000);
  nextFrame();
  return { store, nextFrame, frames };
}

const welcome = (hosts: HostSummary[]) => ({
  protocol_major: 1,
  protocol_minor: 0,
  server_unix_ms: 1_000,
  server_version: "0",
  hosts,
});

describe("the fleet store", () => {
  it("notifies a row once a frame, however many frames of the server came", () => {
    const { store, nextFrame, frames } = storeWith(host("a"), host("b"));
    let [a, b] = [0, 0];
    store.onHost("a", () => (a += 1));
    store.onHost("b", () => (b += 1));
    for (let second = 1; second <= 5; second += 1) {
      store.frame(
        { server_unix_ms: second * 1000, rows: [row("a", { time_unix_ms: second * 1000 })] },
        second * 1000,
      );
    }
    expect([a, frames.length]).toEqual([0, 1]);
    nextFrame();
    expect([a, b]).toEqual([1, 0]);
  });

  it("keeps what it knows of a host across a reconnect and forgets hosts that are gone", () => {
    const { store } = storeWith(host("a"), host("b"));
    store.frame(
      { server_unix_ms: 2_000, rows: [row("a", { time_unix_ms: 2_000, cpu_used_percent: 42 })] },
      2_000,
    );
    store.welcome(welcome([host("a")]), 3_000);
    expect([...store.hosts.keys()]).toEqual(["a"]);
    expect(store.hosts.get("a")?.row?.cpu_used_percent).toBe(42);
    expect(store.hosts.get("a")?.spark.length).toBe(1);
  });

  it("follows events: offline, renamed, removed", () => {
    const { store } = storeWith(host("a"));
    const before = store.structure();
    store.event({ id: "a", kind: "offline", host: host("a", { online: false, name: "new" }) }, 2_000);
    expect(store.hosts.get("a")?.summary).toMatchObject({ online: false, name: "new" });
    expect(store.structure()).toBeGreaterThan(before);
    store.event({ id: "a", kind: "removed", host: null }, 3_000);
    expect(store.hosts.size).toBe(0);
  });

  it("measures the delay from the host's clock, corrected by its offset", () => {
    const { store } = storeWith(host("a", { clock_offset_ms: 5_000 }));
    store.clock.opened(1_000, 1_000, 1_000);
    store.frame({ server_unix_ms: 9_980, rows: [row("a", { time_unix_ms: 14_900 })] }, 10_000);
    expect(store.delay.value()).toBe(100);
  });

  it("tells the age of a host that it only heard of from the server's clock", () => {
    const { store } = storeWith(host("a", { online: false, last_seen_unix_ms: 400, latest: row("a") }));
    const entry = store.hosts.get("a");
    expect(entry && store.ageMs(entry, 10_400)).toBe(10_000);
  });
});

describe("totals of the fleet", () => {
  it("weigh CPU by cores and leave out hosts that are down", () => {
    const { store } = storeWith(
      withCores("small", 2, { latest: row("small", { cpu_used_percent: 100, memory_used_bytes: 5 }) }),
      withCores("large", 6, { latest: row("large", { cpu_used_percent: 0, memory_used_bytes: 7 }) }),
      withCores("down", 64, {
        online: false,
        latest: row("down", { cpu_used_percent: 100, memory_used_bytes: 9 }),
      }),
    );
    expect(totals(store.hosts.values())).toMatchObject({
      up: 2,
      down: 1,
      cores: 8,
      cpuUsedPercent: 25,
      memoryUsedBytes: 12,
    });
  });

  it("say that CPU use is not known when nobody reports", () => {
    expect(totals([]).cpuUsedPercent).toBeNull();
  });
});
