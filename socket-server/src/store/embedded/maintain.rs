//! What is done every minute or so: packing what is complete, dropping what is past retention.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use fjall::{Keyspace, Readable as _};

use super::{
    keys,
    pack::{BUCKET_MS, DAY_MS, pack},
    tables::Tables,
    view::{View, watermark_name},
    writer::WriterState,
};
use crate::store::{HostId, Resolution, StoreError, retention::Retention, rollup::step_start};

/// How long after its end a bucket is packed: most late samples are there by then.
const PACK_DELAY_MS: i64 = 60_000;

/// Longest time that packing or dropping keeps appends waiting.
const TURN: Duration = Duration::from_millis(50);

/// Buckets that are complete and not packed yet.
pub(super) fn ready(view: &View, now_unix_ms: i64) -> Result<Vec<(HostId, i64)>, StoreError> {
    let mut ready = Vec::new();
    for row in view.snapshot.iter(&view.tables.pending) {
        let key = row.key()?;
        let Some(host) = keys::host_of(&key) else { continue };
        let Some(bucket) = keys::time_of(&host, &key) else {
            continue;
        };
        if bucket.saturating_add(BUCKET_MS + PACK_DELAY_MS) <= now_unix_ms {
            ready.push((host, bucket));
        }
    }
    Ok(ready)
}

/// Packs buckets until the turn is over; returns how many of them are done.
pub(super) fn pack_some(state: &mut WriterState, buckets: &[(HostId, i64)]) -> Result<usize, StoreError> {
    let began = Instant::now();
    for (done, (host, bucket)) in buckets.iter().enumerate() {
        if done > 0 && began.elapsed() > TURN {
            return Ok(done);
        }
        pack(state, host, *bucket)?;
    }
    Ok(buckets.len())
}

/// Drops what is past retention, one span of time after the other, until the turn is over; whether that was all.
pub(super) fn expire_some(
    tables: &Tables,
    retention: &Retention,
    now_unix_ms: i64,
) -> Result<bool, StoreError> {
    let began = Instant::now();
    for resolution in [Resolution::Second, Resolution::Minute, Resolution::Hour] {
        let (table, span) = rolled(tables, resolution);
        let cutoff = step_start(retention.cutoff(resolution, now_unix_ms), span);
        while let Some(oldest) = oldest(tables, table)?.filter(|oldest| *oldest < cutoff) {
            let end = step_start(oldest, span).saturating_add(span);
            drop_before(tables, resolution, end.min(cutoff))?;
            if began.elapsed() > TURN {
                return Ok(false);
            }
        }
        // Nothing is left before it: this only notes from when on the resolution is kept.
        drop_before(tables, resolution, cutoff)?;
    }
    let cutoff = retention.cutoff(Resolution::Hour, now_unix_ms);
    for host in hosts(tables)? {
        for row in tables.dropped.range(keys::between(&host, i64::MIN, cutoff)) {
            tables.dropped.remove(row.key()?)?;
        }
    }
    super::events::expire(tables, retention, now_unix_ms)?;
    Ok(true)
}

/// Drops what a resolution has before an instant and notes that it is kept from there on.
pub(super) fn raise_kept_from(
    tables: &Tables,
    resolution: Resolution,
    time_unix_ms: i64,
) -> Result<(), StoreError> {
    let (_, span) = rolled(tables, resolution);
    drop_before(tables, resolution, step_start(time_unix_ms, span)).map(drop)
}

/// The table of a resolution and the time that one row spans.
pub(super) fn rolled(tables: &Tables, resolution: Resolution) -> (&Keyspace, i64) {
    match resolution {
        Resolution::Second => (&tables.chunks, BUCKET_MS),
        Resolution::Minute => (&tables.minutes, BUCKET_MS * 6),
        Resolution::Hour => (&tables.hours, DAY_MS),
    }
}

/// What was removed.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Removed {
    pub(super) rows: u64,
    /// Bytes of keys and values, as they are in memory.
    pub(super) bytes: u64,
}

/// Removes the rows before an instant and notes it.
pub(super) fn drop_before(
    tables: &Tables,
    resolution: Resolution,
    cutoff: i64,
) -> Result<Removed, StoreError> {
    let (table, _) = rolled(tables, resolution);
    let name = watermark_name(resolution);
    let known = tables
        .meta
        .get(name)?
        .and_then(|bytes| bytes.first_chunk::<8>().map(|bytes| i64::from_be_bytes(*bytes)));
    let cutoff = known.unwrap_or(cutoff).max(cutoff);
    let mut removed = Removed::default();
    let mut write = tables.database.batch();
    write.insert(&tables.meta, name, cutoff.to_be_bytes().to_vec());
    for host in hosts(tables)? {
        for row in table.range(keys::between(&host, i64::MIN, cutoff)) {
            let (key, value) = row.into_inner()?;
            removed.rows += 1;
            removed.bytes += (key.len() + value.len()) as u64;
            write.remove(table, key);
        }
    }
    write.commit()?;
    Ok(removed)
}

/// The first instant of a table, of any host.
pub(super) fn oldest(tables: &Tables, table: &Keyspace) -> Result<Option<i64>, StoreError> {
    let mut oldest = None;
    for host in hosts(tables)? {
        if let Some(row) = table.prefix(keys::host_prefix(&host)).next() {
            let time = keys::time_of(&host, &row.key()?);
            oldest = match (oldest, time) {
                (Some(known), Some(time)) if known <= time => Some(known),
                (known, time) => time.or(known),
            };
        }
    }
    Ok(oldest)
}

/// Every host that has ever sent a sample.
fn hosts(tables: &Tables) -> Result<BTreeSet<HostId>, StoreError> {
    let mut hosts = BTreeSet::new();
    for row in tables.settled.iter() {
        hosts.extend(keys::host_of(&row.key()?));
    }
    Ok(hosts)
}
