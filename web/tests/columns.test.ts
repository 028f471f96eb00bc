import { describe, expect, it } from "vitest";
import { LIVE_SECONDS, LiveColumns } from "../src/live/columns";
import { Spark } from "../src/live/spark";
import { disk, sample } from "./fixtures";

const READ = "disk_read_bytes_per_second:sda";

describe("columns of the live stream", () => {
  it("turn counters into rates over the time that really passed", () => {
    const columns = new LiveColumns();
    columns.add("e", [
      sample(1, 1_000, { disks: [disk("sda", 100)] }),
      sample(2, 3_000, { disks: [disk("sda", 500)] }),
    ]);
    expect(columns.series.get(READ)).toEqual([null, 200]);
  });

  it("give a counter that was reset no value", () => {
    const columns = new LiveColumns();
    columns.add(
      "e",
      [1, 2, 3].map((seq) => sample(seq, seq * 1000, { disks: [disk("sda", [900, 10, 30][seq - 1] ?? 0)] })),
    );
    expect(columns.series.get(READ)).toEqual([null, null, 20]);
  });

  it("open a hole where seconds are missing", () => {
    const columns = new LiveColumns();
    columns.add("e", [sample(1, 1_000), sample(9, 9_000)]);
    expect(columns.timesMs).toEqual([1_000, 2_000, 9_000]);
    expect(columns.series.get("cpu_used_percent")).toEqual([1, null, 9]);
  });

  it("leave out samples that are there already", () => {
    const columns = new LiveColumns();
    columns.add("e", [sample(1, 1_000), sample(2, 2_000)]);
    columns.add("e", [sample(1, 1_000), sample(2, 2_000), sample(3, 3_000)]);
    expect(columns.timesMs).toEqual([1_000, 2_000, 3_000]);
  });

  it("fill a device that was plugged in later with nothing before", () => {
    const columns = new LiveColumns();
    columns.add("e", [
      sample(1, 1_000),
      sample(2, 2_000, { temperatures: [{ sensor: "cpu", celsius: 40 }] }),
    ]);
    expect(columns.series.get("temperature_celsius:cpu")).toEqual([null, 40]);
  });

  it("hold a quarter of an hour and no more", () => {
    const columns = new LiveColumns();
    columns.add(
      "e",
      Array.from({ length: LIVE_SECONDS + 500 }, (_, index) => sample(index, index * 1000)),
    );
    expect(columns.timesMs.length).toBe(LIVE_SECONDS + 1);
    expect(columns.series.get("cpu_used_percent")?.length).toBe(LIVE_SECONDS + 1);
  });
});

describe("a sparkline's ring", () => {
  const values = (spark: Spark) => Array.from({ length: spark.length }, (_, index) => spark.at(index));

  it("keeps the newest readings in order", () => {
    const spark = new Spark(3);
    for (let second = 0; second < 5; second += 1) spark.push(second * 1000, second);
    expect(values(spark)).toEqual([2, 3, 4]);
  });

  it("leaves missed seconds empty and replaces a second reading of one second", () => {
    const spark = new Spark(5);
    spark.push(1_000, 1);
    spark.push(3_000, 2);
    spark.push(3_500, 3);
    expect(values(spark)).toEqual([1, Number.NaN, 3]);
  });

  it("takes older readings before those that came live", () => {
    const spark = new Spark(5);
    spark.push(4_000, 4);
    spark.push(5_000, 5);
    spark.fill([1_000, 2_000, 3_000, 4_000], [1, null, 3, 9]);
    expect(values(spark)).toEqual([1, Number.NaN, 3, 4, 5]);
  });

  it("forgets all after a pause longer than itself", () => {
    const spark = new Spark(2);
    spark.push(0, 1);
    spark.push(1_000_000, 2);
    expect(values(spark)).toEqual([Number.NaN, 2]);
  });
});
