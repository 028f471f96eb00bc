import { describe, expect, it } from "vitest";
import { leftOut, readContainers, readNetwork, readOs, readProcesses, readStorage } from "../src/ask/answers";
import { sorted } from "../src/ask/order";

describe("what a host answers", () => {
  it("is read by its fields", () => {
    const process = {
      pid: 7,
      name: "postgres",
      user: "db",
      user_id: "26",
      cpu_percent_of_a_core: 12.5,
      memory_bytes: 1024,
      state: "Run",
      started_unix_ms: 1_000,
    };
    const { total, processes } = readProcesses({ total: 120, processes: [process] });
    expect(total).toBe(120);
    expect(processes).toEqual([
      {
        pid: 7,
        name: "postgres",
        user: "db",
        state: "Run",
        cpuPercent: 12.5,
        memoryBytes: 1024,
        startedMs: 1_000,
      },
    ]);
    expect(readContainers({ engine: null, containers: [] })).toEqual({ engine: "", containers: [] });
    expect(readNetwork({ interfaces: [{ name: "eth0", mtu_bytes: 1500 }], ip_addresses: ["::1"] })).toEqual({
      interfaces: [{ name: "eth0", state: "", mac: "", mtuBytes: 1500, megabitsPerSecond: null }],
      addresses: ["::1"],
    });
    const { disks } = readStorage({
      disks: [{ name: "sda", vendor: "A", model: "B", rotates: true, removable: false }],
    });
    expect(disks[0]).toEqual({ name: "sda", model: "A B", sizeBytes: null, kind: "spinning" });
    expect(readOs({ os_release: { pretty_name: "Rocky Linux 9" }, facts: { kernel: "5.14" } })).toEqual([
      ["System", "Rocky Linux 9"],
      ["Kernel", "5.14"],
    ]);
  });

  it("shows the user's number where the host knows no name", () => {
    expect(readProcesses({ processes: [{ user_id: "1000" }] }).processes[0]?.user).toBe("1000");
  });

  it("may be anything at all", () => {
    const hostile: unknown[] = [
      null,
      7,
      "x",
      [],
      {},
      { processes: "x", containers: {}, interfaces: 1, disks: null },
    ];
    const nested = { a: [{ b: {} }] };
    const entry = {
      name: nested,
      pid: nested,
      image: nested,
      memory_bytes: "many",
      started_unix_ms: Number.NaN,
    };
    hostile.push({
      total: nested,
      processes: [entry, null, 3],
      containers: [entry],
      disks: [entry],
      engine: nested,
    });
    hostile.push({
      interfaces: [entry],
      ip_addresses: [nested, 5],
      file_systems: [entry],
      os_release: 3,
      left_out: "x",
    });
    const plain = (value: unknown): boolean =>
      value === null ||
      ["string", "number"].includes(typeof value) ||
      (Array.isArray(value) && value.every(plain));
    for (const document of hostile) {
      for (const row of [
        ...readProcesses(document).processes,
        ...readContainers(document).containers,
        ...readNetwork(document).interfaces,
        ...readStorage(document).disks,
        ...readStorage(document).fileSystems,
      ]) {
        expect(Object.values(row).every(plain)).toBe(true);
      }
      expect(plain(readNetwork(document).addresses)).toBe(true);
      expect(plain(readOs(document))).toBe(true);
      expect(leftOut(document)).toBe(0);
    }
  });

  it("is cut where a text is endless", () => {
    expect(readProcesses({ processes: [{ name: "x".repeat(10_000) }] }).processes[0]?.name).toHaveLength(300);
  });
});

describe("the rows of a table", () => {
  const rows = [{ n: 2 }, { n: null }, { n: 10 }, { n: 1 }];

  it("are sorted both ways, the unknown last", () => {
    expect(sorted(rows, ({ n }) => n, false).map(({ n }) => n)).toEqual([1, 2, 10, null]);
    expect(sorted(rows, ({ n }) => n, true).map(({ n }) => n)).toEqual([10, 2, 1, null]);
  });

  it("are sorted as people count and spell", () => {
    const names = ["eth10", "Eth2", "", "eth1"];
    expect(sorted(names, (name) => name, false)).toEqual(["eth1", "Eth2", "eth10", ""]);
  });

  it("keep their places where they are equal", () => {
    const equal = [{ id: "a" }, { id: "b" }, { id: "c" }];
    expect(sorted(equal, () => 1, true)).toEqual(equal);
  });
});
