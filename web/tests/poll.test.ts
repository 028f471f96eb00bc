import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError } from "../src/api/errors";
import { Poll, type Polled } from "../src/ask/poll";

const EVERY_MS = 3_000;

describe("a question that is asked again and again", () => {
  let asked: { answer: (value: string) => void; refuse: (cause: unknown) => void }[];
  let told: Polled<string>[];
  let watched: boolean;
  let poll: Poll<string>;

  beforeEach(() => {
    vi.useFakeTimers();
    [asked, told, watched] = [[], [], true];
    const ask = () => new Promise<string>((answer, refuse) => asked.push({ answer, refuse }));
    poll = new Poll(
      ask,
      EVERY_MS,
      (state) => told.push(state),
      () => watched,
    );
    poll.now();
  });

  afterEach(() => {
    poll.end();
    vi.useRealTimers();
  });

  it("waits for the answer, then a while", async () => {
    await vi.advanceTimersByTimeAsync(10 * EVERY_MS);
    expect(asked).toHaveLength(1);
    asked[0]?.answer("one");
    await vi.advanceTimersByTimeAsync(EVERY_MS - 1);
    expect(asked).toHaveLength(1);
    expect(told.at(-1)?.answer).toBe("one");
    await vi.advanceTimersByTimeAsync(1);
    expect(asked).toHaveLength(2);
  });

  it("keeps the last answer beside an error, and goes on", async () => {
    asked[0]?.answer("one");
    await vi.advanceTimersByTimeAsync(EVERY_MS);
    asked[1]?.refuse(new ApiError(429, "host_busy", "the host has other questions to answer"));
    await vi.advanceTimersByTimeAsync(EVERY_MS);
    expect(told.at(-1)).toMatchObject({ answer: "one", error: { code: "host_busy" } });
    asked[2]?.answer("two");
    await vi.advanceTimersByTimeAsync(0);
    expect(told.at(-1)).toMatchObject({ answer: "two", error: null });
  });

  it("is not asked while nobody looks, and at once when somebody does", async () => {
    asked[0]?.answer("one");
    watched = false;
    await vi.advanceTimersByTimeAsync(10 * EVERY_MS);
    expect(asked).toHaveLength(1);
    watched = true;
    poll.now();
    expect(asked).toHaveLength(2);
    poll.now();
    expect(asked).toHaveLength(2);
  });

  it("tells nothing after its end", async () => {
    poll.end();
    asked[0]?.answer("late");
    await vi.advanceTimersByTimeAsync(10 * EVERY_MS);
    expect(told).toEqual([]);
    expect(asked).toHaveLength(1);
  });
});
