import { afterEach, describe, expect, it, vi } from "vitest";
import { Session } from "../src/api/session";

type Answer = [status: number, body?: unknown];

/** A server that answers each path from a list, the last answer again and again. */
function server(answers: Record<string, Answer[]>) {
  const calls: string[] = [];
  const tokens: (string | null)[] = [];
  const fetch = async (input: string, init?: RequestInit): Promise<Response> => {
    const path = `${init?.method} ${input.replace("/api/v1", "")}`;
    calls.push(path);
    tokens.push(new Headers(init?.headers).get("authorization"));
    const list = answers[path] ?? [[404] as Answer];
    const [status, body]: Answer = (list.length > 1 ? list.shift() : list[0]) ?? [404];
    return new Response(status === 204 ? null : JSON.stringify(body ?? {}), { status });
  };
  return { session: new Session(fetch), calls, tokens };
}

const STATUS: Answer = [200, { setup_required: false, registration_open: false, version: "1" }];
const grant = (token: string): Answer => [
  200,
  { access_token: token, expires_in_seconds: 900, account: { id: "a", name: "ada" } },
];
const refused = (status: number, code: string): Answer => [
  status,
  { error: { code, message: "No.", hint: "Hint." } },
];

async function signedIn(answers: Record<string, Answer[]>) {
  const made = server({ "GET /status": [STATUS], "POST /login": [grant("one")], ...answers });
  await made.session.enter("/login", { name: "ada", password: "secret" });
  return made;
}

afterEach(() => vi.useRealTimers());

describe("a session", () => {
  it("starts from the refresh cookie", async () => {
    const { session } = server({ "GET /status": [STATUS], "POST /session/refresh": [grant("one")] });
    await session.start();
    expect(session.snapshot()).toMatchObject({ phase: "signed_in", account: { name: "ada" } });
  });

  it("asks for a log-in when there is no cookie, and does not call a lost network a lost session", async () => {
    const none = server({
      "GET /status": [STATUS],
      "POST /session/refresh": [refused(401, "session_ended")],
    });
    await none.session.start();
    expect(none.session.snapshot().phase).toBe("signed_out");
    const broken = server({
      "GET /status": [STATUS],
      "POST /session/refresh": [refused(503, "unavailable")],
    });
    await broken.session.start();
    expect(broken.session.snapshot()).toMatchObject({
      phase: "failed",
      error: { code: "unavailable", hint: "Hint." },
    });
  });

  it("renews an expired token once and sends the request again", async () => {
    const { session, calls, tokens } = await signedIn({
      "GET /keys": [refused(401, "unauthenticated"), [200, { keys: [] }]],
      "POST /session/refresh": [grant("two")],
    });
    await expect(session.request("GET", "/keys", { authorized: true })).resolves.toEqual({ keys: [] });
    expect(calls.slice(1)).toEqual(["GET /keys", "POST /session/refresh", "GET /keys"]);
    expect(tokens.at(-1)).toBe("Bearer two");
  });

  it("renews once for requests that fail together", async () => {
    const { session, calls } = await signedIn({
      "GET /keys": [refused(401, "unauthenticated"), refused(401, "unauthenticated"), [200, {}]],
      "POST /session/refresh": [grant("two")],
    });
    await Promise.all([1, 2].map(() => session.request("GET", "/keys", { authorized: true })));
    expect(calls.filter((call) => call === "POST /session/refresh")).toHaveLength(1);
  });

  it("ends when it cannot be renewed", async () => {
    const { session } = await signedIn({
      "GET /keys": [refused(401, "unauthenticated")],
      "POST /session/refresh": [refused(401, "session_ended")],
    });
    await expect(session.request("GET", "/keys", { authorized: true })).rejects.toMatchObject({
      status: 401,
    });
    expect(session.snapshot()).toMatchObject({
      phase: "signed_out",
      reason: expect.stringContaining("ended"),
    });
  });

  it("goes on when renewing is refused for another reason than the session", async () => {
    for (const status of [408, 429, 503]) {
      const { session } = await signedIn({
        "GET /keys": [refused(401, "unauthenticated")],
        "POST /session/refresh": [refused(status, "later")],
      });
      await expect(session.request("GET", "/keys", { authorized: true })).rejects.toMatchObject({ status });
      expect(session.snapshot().phase).toBe("signed_in");
    }
  });

  it("sends a wrong password once only", async () => {
    const { session, calls } = await signedIn({
      "PUT /account/password": [refused(401, "wrong_credentials")],
    });
    await expect(session.changePassword("wrong", "new")).rejects.toMatchObject({ code: "wrong_credentials" });
    expect(calls.filter((call) => call === "PUT /account/password")).toHaveLength(1);
    expect(session.snapshot().phase).toBe("signed_in");
  });

  it("renews the token before it expires", async () => {
    vi.useFakeTimers();
    const { calls } = await signedIn({ "POST /session/refresh": [grant("two")] });
    await vi.advanceTimersByTimeAsync(900_000 * 0.8);
    expect(calls).toContain("POST /session/refresh");
  });

  it("says in words what a broken answer leaves unsaid", async () => {
    const { session } = server({ "GET /status": [[502, "<html>"]] });
    await session.start();
    expect(session.snapshot()).toMatchObject({ phase: "failed", error: { status: 502, code: "http_502" } });
  });
});
