import { useState } from "react";
import { navigate } from "../app/router";
import { api, fleet } from "../app/services";
import { formatLabels, parseLabels } from "../labels";
import { Confirm } from "../ui/confirm";
import { Dialog } from "../ui/dialog";
import { Field } from "../ui/field";
import { Problem } from "../ui/states";
import { textOf, useForm } from "../ui/use-form";

export interface HostTask {
  id: string;
  kind: "edit";
  /** Where to go when the host is gone. */
  afterDelete?: string;
}

/** Rename a host, change its labels, or delete it. */
export function HostDialogs({ task, onClose }: { task: HostTask; onClose: () => void }) {
  const [deleting, setDeleting] = useState(false);
  const summary = fleet.hosts.get(task.id)?.summary;
  const form = useForm(async (data) => {
    const name = textOf(data, "name").trim();
    const labels = parseLabels(textOf(data, "labels"));
    // A name that nobody changed stays the host's own, and follows it.
    await api.changeHost(task.id, name === summary?.name ? { labels } : { name, labels });
    onClose();
  });
  if (!summary) return null;
  if (deleting) {
    return (
      <Confirm
        title={`Delete ${summary.name}?`}
        action="Delete host"
        onClose={onClose}
        run={async () => {
          await api.deleteHost(task.id);
          if (task.afterDelete) navigate(task.afterDelete);
        }}
      >
        Its history is deleted with it. A node-client that still runs there makes it come back, empty.
      </Confirm>
    );
  }
  return (
    <Dialog title={`Edit ${summary.name}`} onClose={onClose}>
      <form onSubmit={form.onSubmit}>
        <Field
          label="Name"
          name="name"
          defaultValue={summary.name}
          maxLength={100}
          hint="empty: the host's own name"
        />
        <Field
          label="Labels"
          name="labels"
          defaultValue={formatLabels(summary.labels)}
          placeholder="role=db, rack=3"
          hint="name=value, separated by commas; those that the host gives itself stay"
        />
        {form.error && <Problem error={form.error} />}
        <div className="actions">
          <button type="button" className="button danger" onClick={() => setDeleting(true)}>
            Delete host…
          </button>
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="button primary" disabled={form.busy}>
            Save
          </button>
        </div>
      </form>
    </Dialog>
  );
}
