import { useId, useRef } from "react";
import type { CreatedKey } from "../api/types";
import { api } from "../app/services";
import { Field } from "../ui/field";
import { Problem } from "../ui/states";
import { textOf, useForm } from "../ui/use-form";

/** Lives that a new key can have, in days; the empty one does not end. */
const LIVES: [value: string, label: string][] = [
  ["", "Never expires"],
  ["30", "Expires in 30 days"],
  ["90", "Expires in 90 days"],
  ["365", "Expires in a year"],
];

export function CreateKey({ onCreated }: { onCreated: (key: CreatedKey) => void }) {
  const element = useRef<HTMLFormElement>(null);
  const life = useId();
  const form = useForm(async (data) => {
    const days = textOf(data, "days");
    onCreated(await api.createKey(textOf(data, "label").trim(), days === "" ? null : Number(days)));
    element.current?.reset();
  });
  return (
    <section className="card" aria-labelledby="create-key-heading">
      <h2 id="create-key-heading">New key</h2>
      <form className="row-form" ref={element} onSubmit={form.onSubmit}>
        <Field label="Label" name="label" placeholder="rack 3" required maxLength={64} />
        <div className="field fixed">
          <label htmlFor={life}>Life</label>
          <select id={life} className="select" name="days" defaultValue="">
            {LIVES.map(([value, label]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </select>
        </div>
        <button className="button primary" type="submit" disabled={form.busy}>
          Create key
        </button>
      </form>
      {form.error && <Problem error={form.error} />}
    </section>
  );
}
