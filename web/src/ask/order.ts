/** Sorting the rows of a table by a column. */

export type Value = string | number | null;

const words = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

/** A sorted copy. What is not known stands at the end, whichever way; equal rows keep their places. */
export function sorted<Row>(rows: readonly Row[], value: (row: Row) => Value, descending: boolean): Row[] {
  return [...rows].sort((left, right) => {
    const [a, b] = [value(left), value(right)];
    const [noA, noB] = [a === null || a === "", b === null || b === ""];
    if (noA || noB) return Number(noA) - Number(noB);
    const order =
      typeof a === "number" && typeof b === "number" ? a - b : words.compare(String(a), String(b));
    return descending ? -order : order;
  });
}
