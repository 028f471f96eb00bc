import { useEffect, useRef } from "react";
import type { CreatedKey } from "../api/types";
import { connectCommand } from "../connect-command";
import { CopyButton } from "../ui/copy-button";

/** The one time that a key is shown, with the command that puts it to work. */
export function NewKey({ created, onClose }: { created: CreatedKey; onClose: () => void }) {
  const heading = useRef<HTMLHeadingElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each new key takes the focus
  useEffect(() => heading.current?.focus(), [created.id]);
  const command = connectCommand(window.location.origin, created.key);
  return (
    <section className="card once" aria-labelledby="new-key-heading" data-testid="new-key">
      <h2 id="new-key-heading" ref={heading} tabIndex={-1}>
        Key “{created.label}” is ready: copy it now, it is not shown again
      </h2>
      <div className="sr-row">
        <code data-testid="key-text">{created.key}</code>
        <CopyButton text={created.key} label="Copy key" />
      </div>
      <div className="sr-row">
        <span>Paste this on the host; the key goes into a file that only you can read.</span>
        <CopyButton text={command} label="Copy command" />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
      <pre className="command" tabIndex={0}>
        {command}
      </pre>
      <div>
        <button type="button" className="button" onClick={onClose}>
          I have copied it
        </button>
      </div>
    </section>
  );
}
