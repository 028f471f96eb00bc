import type { ReactNode } from "react";
import { useSeconds } from "../app/seconds";
import { details, useDetailVersion } from "../app/services";
import { formatBytes, formatDuration, formatMilliseconds, formatMoment, UNKNOWN } from "../format";
import type { HostSummary } from "../protocol.generated";

/** A clock that is off by more than this deserves a mark. */
const OFFSET_WORTH_A_WORD_MS = 1_000;

/** What does not change while the host is up. */
export function HostFacts({ summary }: { summary: HostSummary }) {
  const facts = summary.facts;
  useDetailVersion();
  const now = useSeconds();
  const clockMhz = details.newest(summary.id)?.cpu?.clock_mhz;
  if (!facts) return <p className="note">The host has not told anything about itself yet.</p>;
  const clock = [
    clockMhz && `${(clockMhz / 1000).toFixed(2)} GHz now`,
    facts.cpu_clock_max_mhz && `${(facts.cpu_clock_max_mhz / 1000).toFixed(2)} GHz at most`,
  ];
  return (
    <dl className="facts" aria-label="Facts">
      <Fact name="Host name">{facts.host_name}</Fact>
      <Fact name="System">
        {facts.os || UNKNOWN}
        <div className="muted">{[facts.kernel, facts.architecture].filter(Boolean).join(" · ")}</div>
      </Fact>
      <Fact name="Processor">
        {facts.cpu_model || UNKNOWN}
        <div className="muted">{[`${facts.cpu_cores} cores`, ...clock.filter(Boolean)].join(" · ")}</div>
      </Fact>
      <Fact name="Memory">{formatBytes(facts.memory_total_bytes)}</Fact>
      <Fact name={summary.online ? "Up for" : "Booted"}>
        <Boot bootMs={facts.boot_unix_ms} online={summary.online} now={now} />
      </Fact>
      <Fact name="Addresses">
        <Addresses list={facts.ip_addresses} />
      </Fact>
      <Fact name="Clock">
        <Offset ms={summary.clock_offset_ms} />
      </Fact>
      <Fact name="node-client">{facts.client_version}</Fact>
    </dl>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** Addresses shown before the rest is folded away. */
const ADDRESSES_SHOWN = 3;

function Addresses({ list }: { list: string[] }) {
  if (list.length === 0) return <>none</>;
  const rest = list.slice(ADDRESSES_SHOWN);
  return (
    <>
      {list.slice(0, ADDRESSES_SHOWN).join(", ")}
      {rest.length > 0 && (
        <details>
          <summary className="muted">{rest.length} more</summary>
          {rest.join(", ")}
        </details>
      )}
    </>
  );
}

/** A host that does not tell when it booted says 0. */
function Boot({ bootMs, online, now }: { bootMs: number; online: boolean; now: number }) {
  if (bootMs <= 0) return <>{UNKNOWN}</>;
  return <>{online ? formatDuration(now - bootMs) : formatMoment(bootMs)}</>;
}

function Offset({ ms }: { ms: number }) {
  if (Math.abs(ms) < OFFSET_WORTH_A_WORD_MS) return <>in step with the server</>;
  return (
    <span className="label warn">
      {formatMilliseconds(Math.abs(ms))} {ms > 0 ? "ahead of" : "behind"} the server
    </span>
  );
}
