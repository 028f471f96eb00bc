import { describe, expect, it } from "vitest";
import { connectCommand } from "../src/connect-command";
import {
  formatBytes,
  formatDuration,
  formatMilliseconds,
  formatNumber,
  formatPercent,
  formatRate,
  sentence,
} from "../src/format";
import { formatLabels, parseLabels } from "../src/labels";
import { freshness, freshnessText } from "../src/live/freshness";

describe("numbers", () => {
  it("keep three digits and their unit", () => {
    expect([0, 999, 1000, 1536, 10 * 2 ** 20, 2 ** 40].map(formatBytes)).toEqual([
      "0 B",
      "999 B",
      "0.98 KiB",
      "1.50 KiB",
      "10.0 MiB",
      "1.00 TiB",
    ]);
    expect(formatRate(2048)).toBe("2.00 KiB/s");
    expect(formatPercent(99.96)).toBe("100.0 %");
    expect([3, 0.256, 12_345].map(formatNumber)).toEqual(["3", "0.26", "12.3 k"]);
  });

  it("that are not known say so", () => {
    expect([
      formatBytes(null),
      formatRate(undefined),
      formatPercent(Number.NaN),
      formatDuration(null),
    ]).toEqual(["–", "–", "–", "–"]);
  });

  it("of time use their two largest units", () => {
    expect([0, 59_400, 61_000, 3_600_000, 90_000_000].map(formatDuration)).toEqual([
      "0 s",
      "59 s",
      "1 min 1 s",
      "1 h",
      "1 d 1 h",
    ]);
    expect([12.3, 1_500, 61_000].map(formatMilliseconds)).toEqual(["12 ms", "1.5 s", "1 min 1 s"]);
  });
});

describe("freshness", () => {
  const fresh = { online: true, ageMs: 500, hasReading: true, linkOpen: true };
  it("is live only with a new reading over an open link", () => {
    expect(freshness(fresh)).toBe("live");
    expect(freshness({ ...fresh, ageMs: 60_000 })).toBe("late");
    expect(freshness({ ...fresh, linkOpen: false })).toBe("late");
    expect(freshness({ ...fresh, online: false })).toBe("offline");
    expect(freshness({ ...fresh, online: false, hasReading: false })).toBe("never");
  });
  it("tells the age of what is old", () => {
    expect(freshnessText("offline", 61_000)).toBe("Offline · 1 min ago");
    expect(freshnessText("live", 500)).toBe("Live");
  });
});

describe("words of the server", () => {
  it("become a sentence", () => {
    expect(["the password is wrong", "Try again.", ""].map(sentence)).toEqual([
      "The password is wrong.",
      "Try again.",
      "",
    ]);
  });
});

describe("labels", () => {
  it("come back as they were typed", () => {
    expect(parseLabels(" role = db,rack=3, ")).toEqual({ role: "db", rack: "3" });
    expect(formatLabels(parseLabels("role=db, rack=3"))).toBe("role=db, rack=3");
  });
  it("without a value are refused with a hint", () => {
    expect(() => parseLabels("db")).toThrow("is not a label");
  });
});

describe("the command to paste", () => {
  it("keeps the key out of every argument list", () => {
    const lines = connectCommand("https://server:8000", "mf_secret").split("\n");
    expect(lines.filter((line) => line.includes("mf_secret"))).toEqual(["mf_secret"]);
    expect(lines.at(-1)).toBe(
      "node-client connect --server https://server:8000 --api-key-file metric-flow.key",
    );
  });
});
