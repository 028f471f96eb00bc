import { useState } from "react";
import { type ApiError, asApiError } from "../api/errors";
import { api } from "../app/services";
import type { TimelineState } from "../history/use-timeline";
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
      save(
        await api.historyCsv({
          hostId,
          series: columnsOf(series),
          fromMs,
          toMs,
          points: pointsOf(fromMs, toMs),
        }),
        fileName(name, fromMs),
      );
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

/** Most that the server answers in one question. */
const SERIES_MAX = 64;
const POINTS_MAX = 5_000;

/** Hosts with very many cores leave their cores out of the table rather than other readings. */
function columnsOf(series: readonly string[]): string[] {
  const fits = series.length <= SERIES_MAX;
  return series.filter((name) => fits || !name.startsWith("core_used_percent:")).slice(0, SERIES_MAX);
}

/** Each second where the server allows it: a table is for reckoning, not for a screen. */
const pointsOf = (fromMs: number, toMs: number): number =>
  Math.min(POINTS_MAX, Math.ceil((toMs - fromMs) / 1000) + 2);

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
