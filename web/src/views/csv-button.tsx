import { useState } from "react";
import { type ApiError, asApiError } from "../api/errors";
import { api } from "../app/services";
import { POINTS, type TimelineState } from "../history/use-timeline";
import { Problem } from "../ui/states";

interface Props {
  hostId: string;
  name: string;
  state: TimelineState;
}

/** Downloads what is shown as CSV, by a request with the access token: a link could not carry it. */
export function CsvButton({ hostId, name, state }: Props) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const { fromMs, toMs, series } = state;
  const download = async () => {
    setBusy(true);
    setError(null);
    try {
      save(await api.historyCsv({ hostId, series, fromMs, toMs, points: POINTS }), fileName(name, fromMs));
    } catch (cause) {
      setError(asApiError(cause));
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <button
        type="button"
        className="button small"
        disabled={busy || series.length === 0}
        onClick={() => void download()}
      >
        {busy ? "Preparing…" : "Download CSV"}
      </button>
      {error && <Problem error={error} />}
    </>
  );
}

function fileName(name: string, fromMs: number): string {
  const safe = name.replace(/[^\w.-]+/g, "-");
  return `${safe}-${new Date(fromMs).toISOString().slice(0, 19).replace(/:/g, "")}.csv`;
}

function save(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The browser reads the blob after the click: it is let go of later.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
