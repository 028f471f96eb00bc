import { useEffect, useState } from "react";
import { type ApiError, asApiError } from "../api/errors";
import { session, useSession } from "../app/services";
import { Field } from "../ui/field";
import { Problem } from "../ui/states";
import { textOf, useForm } from "../ui/use-form";
import { checkPassword, PASSWORD_LENGTH_MIN } from "./gate-page";

/** Change the password; log out. */
export function AccountPage() {
  const state = useSession();
  useEffect(() => {
    document.title = "Account · Metric Flow";
  }, []);
  return (
    <div className="page narrow">
      <h1>Account</h1>
      <ChangePassword name={state.phase === "signed_in" ? state.account.name : ""} />
      <LogOut name={state.phase === "signed_in" ? state.account.name : ""} />
    </div>
  );
}

function ChangePassword({ name }: { name: string }) {
  const [changes, setChanges] = useState(0);
  const form = useForm(async (data) => {
    const next = textOf(data, "next");
    checkPassword(next, textOf(data, "again"));
    await session.changePassword(textOf(data, "current"), next);
    setChanges((count) => count + 1);
  });
  return (
    <section className="card" aria-labelledby="password-heading">
      <h2 id="password-heading">Password</h2>
      {/* A new key empties the fields after a change. */}
      <form className="column-form" key={changes} onSubmit={form.onSubmit}>
        <input type="hidden" name="name" autoComplete="username" value={name} readOnly />
        <Field
          label="Current password"
          name="current"
          type="password"
          autoComplete="current-password"
          required
        />
        <Field
          label="New password"
          name="next"
          type="password"
          autoComplete="new-password"
          required
          minLength={PASSWORD_LENGTH_MIN}
          hint={`At least ${PASSWORD_LENGTH_MIN} characters`}
        />
        <Field label="New password again" name="again" type="password" autoComplete="new-password" required />
        {form.error && <Problem error={form.error} />}
        <div>
          <button className="button primary" type="submit" disabled={form.busy}>
            Change password
          </button>
        </div>
      </form>
      <p role="status">{changes > 0 && !form.error && "The password is changed."}</p>
    </section>
  );
}

function LogOut({ name }: { name: string }) {
  const [error, setError] = useState<ApiError | null>(null);
  return (
    <section className="card" aria-labelledby="session-heading">
      <h2 id="session-heading">Session</h2>
      <p>
        Logged in as <strong>{name}</strong>. Logging out ends this session in all tabs of this browser.
      </p>
      {error && <Problem error={error} />}
      <div>
        <button
          type="button"
          className="button"
          onClick={() => void session.logOut().catch((cause: unknown) => setError(asApiError(cause)))}
        >
          Log out
        </button>
      </div>
    </section>
  );
}
