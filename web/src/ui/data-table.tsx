import { type ReactNode, useState } from "react";
import { sorted, type Value } from "../ask/order";
import { UNKNOWN } from "../format";

export interface Column<Row> {
  head: string;
  /** What it is sorted by; shown as it is where `show` does not say otherwise. */
  value: (row: Row) => Value;
  show?: (row: Row) => ReactNode;
  number?: boolean;
  /** Left out on a phone. */
  wide?: boolean;
}

interface Props<Row> {
  label: string;
  columns: Column<Row>[];
  rows: Row[];
  rowKey: (row: Row, index: number) => string;
  /** Head of the column that it is sorted by at first. */
  by: string;
}

/** A table that is sorted by a click on a column's head. Numbers begin with the largest, words with the first. */
export function DataTable<Row>({ label, columns, rows, rowKey, by }: Props<Row>) {
  const [order, setOrder] = useState<{ head: string; descending: boolean }>(() => ({
    head: by,
    descending: columns.find((column) => column.head === by)?.number ?? false,
  }));
  const chosen = columns.find((column) => column.head === order.head);
  const lines = chosen ? sorted(rows, chosen.value, order.descending) : rows;
  const choose = ({ head, number }: Column<Row>) =>
    setOrder({ head, descending: head === order.head ? !order.descending : (number ?? false) });
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by the keyboard
    <div className="data-scroll" role="region" aria-label={label} tabIndex={0}>
      <table className="list data">
        <thead>
          <tr>
            {columns.map((column) => (
              <th
                scope="col"
                key={column.head}
                className={classes(column)}
                aria-sort={
                  column.head !== order.head ? undefined : order.descending ? "descending" : "ascending"
                }
              >
                <button type="button" onClick={() => choose(column)}>
                  {column.head}
                  <span aria-hidden="true">
                    {column.head !== order.head ? "" : order.descending ? " ↓" : " ↑"}
                  </span>
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {lines.map((row, index) => (
            <tr key={rowKey(row, index)}>
              {columns.map((column) => (
                <td key={column.head} className={classes(column)}>
                  {column.show ? column.show(row) : shown(column.value(row))}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const shown = (value: Value): Value => (value === null || value === "" ? UNKNOWN : value);

const classes = ({ number, wide }: { number?: boolean; wide?: boolean }): string =>
  [number ? "num" : "", wide ? "wide" : ""].filter(Boolean).join(" ");
