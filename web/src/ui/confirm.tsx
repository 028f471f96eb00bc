import { type ReactNode, useState } from "react";
import { type ApiError, asApiError } from "../api/errors";
import { Dialog } from "./dialog";
import { Problem } from "./states";

interface Props {
  title: string;
  action: string;
  onClose: () => void;
  run: () => Promise<void>;
  children: ReactNode;
}

/** Asks before something that cannot be undone, and stays open when it fails. */
export function Confirm({ title, action, onClose, run, children }: Props) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const go = async () => {
    setBusy(true);
    setError(null);
    try {
      await run();
      onClose();
    } catch (cause) {
      setError(asApiError(cause));
      setBusy(false);
    }
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <div>{children}</div>
      {error && <Problem error={error} />}
      <div className="actions">
        <button type="button" className="button" onClick={onClose}>
          Cancel
        </button>
        <button type="button" className="button danger" disabled={busy} onClick={() => void go()}>
          {action}
        </button>
      </div>
    </Dialog>
  );
}
