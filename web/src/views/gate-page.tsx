import { useEffect } from "react";
import { ApiError } from "../api/errors";
import type { ServerStatus } from "../api/types";
import { navigate, type Route } from "../app/router";
import { session } from "../app/services";
import { Mark } from "../ui/brand";
import { Field } from "../ui/field";
import { Link } from "../ui/link";
import { Problem } from "../ui/states";
import { textOf, useForm } from "../ui/use-form";

interface Props {
  route: Route;
  status: ServerStatus;
  reason: string | null;
}

/** bcrypt reads no more than this; a longer password would be cut in silence. */
const PASSWORD_BYTES_MAX = 72;
/** What the server asks for, said before it is sent. */
export const PASSWORD_LENGTH_MIN = 8;

/** What someone sees who is not logged in: log in, register where that is open, or set up a fresh server. */
export function GatePage({ route, status, reason }: Props) {
  const heading = headingOf(route, status);
  useEffect(() => {
    document.title = `${heading} · Metric Flow`;
  }, [heading]);
  return (
    <main className="gate">
      <div className="gate-card">
        <span className="brand">
          <Mark /> <span>Metric Flow</span>
        </span>
        <h1>{heading}</h1>
        {reason && (
          <p className="note" role="status">
            {reason}
          </p>
        )}
        <Form route={route} status={status} />
      </div>
    </main>
  );
}

function headingOf(route: Route, status: ServerStatus): string {
  if (route.page === "setup" || status.setup_required) return "Set up this server";
  return route.page === "register" && status.registration_open ? "Create an account" : "Log in";
}

function Form({ route, status }: { route: Route; status: ServerStatus }) {
  if (route.page === "setup") return <SetUp />;
  if (status.setup_required) {
    return (
      <div className="note">
        <strong>This server has no account yet.</strong>
        <span>
          When it started it printed a one-time link, <code>…/setup#…</code>. Open that link to make the first
          account.
        </span>
      </div>
    );
  }
  if (route.page === "register" && status.registration_open) return <NewAccount path="/register" />;
  return <LogIn registrationOpen={status.registration_open} />;
}

function SetUp() {
  const token = window.location.hash.slice(1);
  if (token) return <NewAccount path="/setup" token={token} />;
  return (
    <div className="note">
      <strong>The link is incomplete.</strong>
      <span>Open the whole link that the server printed when it started: it ends in a one-time token.</span>
    </div>
  );
}

function LogIn({ registrationOpen }: { registrationOpen: boolean }) {
  const form = useForm((data) =>
    session.enter("/login", { name: textOf(data, "name"), password: textOf(data, "password") }),
  );
  return (
    <form onSubmit={form.onSubmit}>
      <Field label="Name" name="name" autoComplete="username" required autoFocus />
      <Field label="Password" name="password" type="password" autoComplete="current-password" required />
      {form.error && <Problem error={form.error} />}
      <button className="button primary" type="submit" disabled={form.busy}>
        {form.busy ? "Logging in…" : "Log in"}
      </button>
      {registrationOpen && (
        <p className="muted">
          No account yet? <Link href="/register">Create one</Link>
        </p>
      )}
    </form>
  );
}

function NewAccount({ path, token }: { path: "/register" | "/setup"; token?: string }) {
  const form = useForm(async (data) => {
    const password = textOf(data, "password");
    checkPassword(password, textOf(data, "again"));
    const name = textOf(data, "name");
    await session.enter(path, token ? { token, name, password } : { name, password });
    navigate("/", { replace: true });
  });
  return (
    <form onSubmit={form.onSubmit}>
      <Field label="Name" name="name" autoComplete="username" required autoFocus />
      <Field
        label="Password"
        name="password"
        type="password"
        autoComplete="new-password"
        required
        minLength={PASSWORD_LENGTH_MIN}
        hint={`At least ${PASSWORD_LENGTH_MIN} characters`}
      />
      <Field label="Password again" name="again" type="password" autoComplete="new-password" required />
      {form.error && <Problem error={form.error} />}
      <button className="button primary" type="submit" disabled={form.busy}>
        {form.busy ? "Creating…" : "Create account"}
      </button>
      {path === "/register" && (
        <p className="muted">
          Have an account? <Link href="/login">Log in</Link>
        </p>
      )}
    </form>
  );
}

/** Says before the server does what is wrong with a new password. */
export function checkPassword(password: string, again: string): void {
  if (password !== again) {
    throw new ApiError(0, "password_mismatch", "The two passwords differ.", "Type the same one twice.");
  }
  if (new TextEncoder().encode(password).length > PASSWORD_BYTES_MAX) {
    throw new ApiError(
      0,
      "password_too_long",
      `The password is longer than ${PASSWORD_BYTES_MAX} bytes.`,
      "Use a shorter one.",
    );
  }
}
