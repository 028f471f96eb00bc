import { useSeconds } from "../app/seconds";
import { fleet, useLink } from "../app/services";
import { formatBytes, formatPercent, formatRate } from "../format";
import { totals } from "../live/fleet-summary";

/** The fleet in one line: added up each second over the hosts that are up. */
export function FleetTiles() {
  useSeconds();
  const fresh = useLink().phase === "open";
  const sum = totals(fleet.hosts.values());
  const memory = sum.memoryTotalBytes > 0 ? (100 * sum.memoryUsedBytes) / sum.memoryTotalBytes : null;
  return (
    <dl className={`tiles ${fresh ? "" : "stale"}`} aria-label="The whole fleet now">
      <div className="tile">
        <dt>Hosts up</dt>
        <dd data-testid="hosts-up">
          {sum.up}
          {sum.down > 0 && (
            <small>
              {" "}
              <span className="down">{sum.down} down</span>
            </small>
          )}
        </dd>
      </div>
      <div className="tile">
        <dt>CPU used</dt>
        <dd>
          {formatPercent(sum.cpuUsedPercent)}
          <small>
            {" "}
            {sum.busyCores.toFixed(1)} of {sum.cores} cores
          </small>
        </dd>
      </div>
      <div className="tile">
        <dt>Memory used</dt>
        <dd>
          {formatPercent(memory)}
          <small>
            {" "}
            {formatBytes(sum.memoryUsedBytes)} / {formatBytes(sum.memoryTotalBytes)}
          </small>
        </dd>
      </div>
      <div className="tile">
        <dt>Network in</dt>
        <dd>{formatRate(sum.receivedBytesPerSecond)}</dd>
      </div>
      <div className="tile">
        <dt>Network out</dt>
        <dd>{formatRate(sum.sentBytesPerSecond)}</dd>
      </div>
    </dl>
  );
}
