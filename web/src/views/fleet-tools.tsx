import { updateSearch } from "../app/router";
import { plural } from "../format";
import type { View } from "../live/fleet-order";
import { Link } from "../ui/link";

/** More lines than this in one chart cannot be told apart. */
export const COMPARE_MAX = 8;

interface Props {
  view: View;
  labels: string[];
  shown: number;
  total: number;
  picked: ReadonlySet<string>;
  clearPicked: () => void;
}

export function FleetTools({ view, labels, shown, total, picked, clearPicked }: Props) {
  const set = (name: string, value: string) =>
    updateSearch(
      (search) => {
        if (value) search.set(name, value);
        else search.delete(name);
      },
      { replace: true },
    );
  return (
    <search className="tools">
      <input
        className="input"
        type="search"
        aria-label="Filter hosts"
        placeholder="Filter: name, address, up, down, role=db"
        value={view.filter}
        onChange={(event) => set("filter", event.target.value)}
      />
      {labels.length > 0 && (
        <label>
          Group by
          <select
            className="select"
            value={view.groupBy}
            onChange={(event) => set("group", event.target.value)}
          >
            <option value="">nothing</option>
            {labels.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
      )}
      <span className="muted" role="status">
        {shown === total ? plural(total, "host") : `${shown} of ${plural(total, "host")}`}
      </span>
      {picked.size > 0 && (
        <>
          <Link
            className="button small primary"
            href={`/compare?hosts=${[...picked].map(encodeURIComponent).join(",")}`}
          >
            Compare {picked.size}
          </Link>
          <button type="button" className="button small plain" onClick={clearPicked}>
            Clear choice
          </button>
        </>
      )}
    </search>
  );
}
