import { useCallback, useEffect, useState } from "react";
import { type ApiError, asApiError } from "../api/errors";
import type { ApiKey, CreatedKey } from "../api/types";
import { api } from "../app/services";
import { Loading, Problem } from "../ui/states";
import { CreateKey } from "./create-key";
import { KeyTable } from "./key-table";
import { NewKey } from "./new-key";

/** API keys: what a host shows to the server. */
export function KeysPage() {
  const [keys, setKeys] = useState<ApiKey[] | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const [created, setCreated] = useState<CreatedKey | null>(null);

  const load = useCallback(async () => {
    setError(null);
    try {
      setKeys(await api.keys());
    } catch (cause) {
      setError(asApiError(cause));
    }
  }, []);
  useEffect(() => {
    document.title = "Keys · Metric Flow";
    void load();
  }, [load]);

  const show = (key: CreatedKey) => {
    setCreated(key);
    void load();
  };
  return (
    <div className="page narrow">
      <h1>Keys</h1>
      <p className="muted">
        A host proves with a key that it belongs to this account. Revoking one closes the connections of the
        hosts that use it at once.
      </p>
      <CreateKey onCreated={show} />
      {created && <NewKey created={created} onClose={() => setCreated(null)} />}
      {error && <Problem error={error} retry={() => void load()} />}
      {!keys && !error && <Loading what="keys" />}
      {keys && (
        <KeyTable
          keys={keys}
          onRotated={show}
          onRevoked={(id) => {
            if (created?.id === id) setCreated(null);
            void load();
          }}
        />
      )}
    </div>
  );
}
