import { useState } from "react";
import type { ApiKey, CreatedKey } from "../api/types";
import { api } from "../app/services";
import { formatAge, formatDay } from "../format";
import { Confirm } from "../ui/confirm";

interface Props {
  keys: ApiKey[];
  onRotated: (key: CreatedKey) => void;
  onRevoked: (id: string) => void;
}

type Asked = { action: "rotate" | "revoke"; key: ApiKey };

export function KeyTable({ keys, onRotated, onRevoked }: Props) {
  const [asked, setAsked] = useState<Asked | null>(null);
  if (keys.length === 0) {
    return (
      <div className="card empty">
        <h2>No keys yet</h2>
        <p>Create one above, then paste the command that comes with it on the first host.</p>
      </div>
    );
  }
  return (
    <section className="card" aria-label="Keys of this account">
      <table className="list stacked">
        <thead>
          <tr>
            <th scope="col">Label</th>
            <th scope="col">Key</th>
            <th scope="col">Created</th>
            <th scope="col">Last used</th>
            <th scope="col">Expires</th>
            <th scope="col">
              <span className="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {keys.map((key) => (
            <KeyRow key={key.id} apiKey={key} ask={(action) => setAsked({ action, key })} />
          ))}
        </tbody>
      </table>
      {asked?.action === "revoke" && (
        <Confirm
          title={`Revoke “${asked.key.label}”?`}
          action="Revoke key"
          onClose={() => setAsked(null)}
          run={async () => {
            await api.revokeKey(asked.key.id);
            onRevoked(asked.key.id);
          }}
        >
          Hosts that use it are cut off at once and cannot come back with it. This cannot be undone.
        </Confirm>
      )}
      {asked?.action === "rotate" && (
        <Confirm
          title={`Rotate “${asked.key.label}”?`}
          action="Rotate key"
          onClose={() => setAsked(null)}
          run={async () => onRotated(await api.rotateKey(asked.key.id))}
        >
          A new key takes the place of this one. Hosts that still use the old one must be given the new one.
        </Confirm>
      )}
    </section>
  );
}

function KeyRow({ apiKey, ask }: { apiKey: ApiKey; ask: (action: Asked["action"]) => void }) {
  const { label, prefix, created_unix_ms, last_used_unix_ms, expires_unix_ms } = apiKey;
  const now = Date.now();
  const expired = expires_unix_ms ? expires_unix_ms < now : false;
  return (
    <tr>
      <td>{label}</td>
      <td>
        <code>{prefix}…</code>
      </td>
      <td>{formatDay(created_unix_ms)}</td>
      <td>{last_used_unix_ms ? formatAge(now - last_used_unix_ms) : "Never used"}</td>
      <td>
        {expires_unix_ms ? `${expired ? "Expired " : ""}${formatDay(expires_unix_ms)}` : "Never expires"}
      </td>
      <td className="end">
        <button
          type="button"
          className="button small plain"
          aria-label={`Rotate ${label}`}
          onClick={() => ask("rotate")}
        >
          Rotate
        </button>
        <button
          type="button"
          className="button small plain danger"
          aria-label={`Revoke ${label}`}
          onClick={() => ask("revoke")}
        >
          Revoke
        </button>
      </td>
    </tr>
  );
}
