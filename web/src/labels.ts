import { ApiError } from "./api/errors";

/** Labels as people type them: `role=db, rack=3`. */
export function formatLabels(labels: Record<string, string | undefined>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value ?? ""}`)
    .join(", ");
}

export function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const part of text.split(",")) {
    const label = part.trim();
    if (label === "") continue;
    const equals = label.indexOf("=");
    if (equals < 1) {
      throw new ApiError(
        0,
        "bad_label",
        `“${label}” is not a label.`,
        "Write labels as name=value, such as role=db.",
      );
    }
    labels[label.slice(0, equals).trim()] = label.slice(equals + 1).trim();
  }
  return labels;
}
