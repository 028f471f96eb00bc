import { type ReactNode, useState } from "react";
import { ApiError } from "../api/errors";
import { canGoBack, updateSearch } from "../app/router";
import {
  fromLocalInput,
  LIVE,
  type Range,
  type RangeName,
  ROLLING,
  SHORTEST_CUSTOM_MS,
  toLocalInput,
  writeRange,
} from "../history/range";
import { Field } from "../ui/field";
import { Problem } from "../ui/states";
import { textOf, useForm } from "../ui/use-form";

export const showRange = (range: Range): void => updateSearch((search) => writeRange(search, range));

interface Props {
  range: Range;
  fromMs: number;
  toMs: number;
  children?: ReactNode;
}

/** Chooses the stretch of time; the address bar holds the choice. */
export function RangeBar({ range, fromMs, toMs, children }: Props) {
  const [asking, setAsking] = useState(false);
  const custom = range.kind === "custom";
  return (
    <div className="range-bar">
      <div className="segments" role="group" aria-label="Range of time">
        {(Object.keys(ROLLING) as RangeName[]).map((name) => (
          <button
            type="button"
            key={name}
            title={ROLLING[name].title}
            aria-pressed={!custom && range.name === name}
            onClick={() => {
              setAsking(false);
              showRange({ kind: "rolling", name });
            }}
          >
            {ROLLING[name].label}
          </button>
        ))}
        <button type="button" aria-pressed={custom} aria-expanded={asking} onClick={() => setAsking(!asking)}>
          Custom
        </button>
      </div>
      {custom && (
        <button
          type="button"
          className="button small"
          onClick={() => (canGoBack() ? window.history.back() : showRange(LIVE))}
        >
          Zoom back
        </button>
      )}
      <span className="grow" />
      {children}
      {asking && (
        <CustomRange
          key={`${fromMs > 0 && custom}`}
          fromMs={fromMs}
          toMs={toMs}
          done={() => setAsking(false)}
        />
      )}
    </div>
  );
}

function CustomRange({ fromMs, toMs, done }: { fromMs: number; toMs: number; done: () => void }) {
  const form = useForm(async (data) => {
    const range = {
      kind: "custom",
      fromMs: fromLocalInput(textOf(data, "from")),
      toMs: fromLocalInput(textOf(data, "to")),
    } as const;
    if (!(range.toMs - range.fromMs >= SHORTEST_CUSTOM_MS)) {
      throw new ApiError(0, "bad_range", "The end must come after the start.");
    }
    showRange(range);
    done();
  });
  return (
    <form className="custom-range" onSubmit={form.onSubmit}>
      <Field
        label="From"
        name="from"
        type="datetime-local"
        step={1}
        required
        defaultValue={toLocalInput(fromMs)}
      />
      <Field label="To" name="to" type="datetime-local" step={1} required defaultValue={toLocalInput(toMs)} />
      <button className="button primary" type="submit">
        Show
      </button>
      {form.error && <Problem error={form.error} />}
    </form>
  );
}
