//! What is done every minute or so: packing what is complete, dropping what is past retention or over the limit.

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

/// Longest time that packing keeps appends waiting.
const PACK_TURN: Duration = Duration::from_millis(50);

/// The newest hours of samples are kept even over the limit of bytes: a store without the present is of no use.
const KEPT_ALWAYS_MS: i64 = 3_600_000;

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
        if done > 0 && began.elapsed() > PACK_TURN {
            return Ok(done);
        }
        pack(state, host, *bucket)?;
    }
    Ok(buckets.len())
}

/// Drops what is past retention.
pub(super) fn expire(tables: &Tables, retention: &Retention, now_unix_ms: i64) -> Result<(), StoreError> {
    for (resolution, table, span) in rolled(tables) {
        let cutoff = step_start(retention.cutoff(resolution, now_unix_ms), span);
        drop_before(tables, resolution, table, cutoff)?;
    }
    let cutoff = retention.cutoff(Resolution::Hour, now_unix_ms);
    for host in hosts(tables)? {
        for row in tables.dropped.range(keys::between(&host, i64::MIN, cutoff)) {
            tables.dropped.remove(row.key()?)?;
        }
    }
    super::events::expire(tables, retention, now_unix_ms)
}

/// Drops the oldest of the finest resolution until the store fits its limit; true when something was dropped.
pub(super) fn shrink(tables: &Tables, bytes_max: u64, now_unix_ms: i64) -> Result<bool, StoreError> {
    let mut excess = tables.disk_bytes().saturating_sub(bytes_max);
    if excess == 0 {
        return Ok(false);
    }
    for (resolution, table, span) in rolled(tables) {
        let newest = now_unix_ms.saturating_sub(KEPT_ALWAYS_MS);
        while excess > 0 {
            let Some(oldest) = oldest(tables, table)? else {
                break;
            };
            let cutoff = step_start(oldest, span).saturating_add(span);
            if cutoff > newest {
                break;
            }
            excess = excess.saturating_sub(drop_before(tables, resolution, table, cutoff)?.max(1));
        }
        // Space is given back only when the files are written anew.
        table.major_compact()?;
        tracing::warn!(
            ?resolution,
            "the store is over its limit of bytes: the oldest were dropped"
        );
        if excess == 0 {
            break;
        }
    }
    Ok(true)
}

/// Drops what a resolution has before an instant and notes that it is kept from there on.
pub(super) fn raise_kept_from(
    tables: &Tables,
    resolution: Resolution,
    time_unix_ms: i64,
) -> Result<(), StoreError> {
    for (_, table, span) in rolled(tables)
        .into_iter()
        .filter(|(known, _, _)| *known == resolution)
    {
        drop_before(tables, resolution, table, step_start(time_unix_ms, span))?;
    }
    Ok(())
}

/// The resolutions, finest first, with their tables and the time that one row spans.
fn rolled(tables: &Tables) -> [(Resolution, &Keyspace, i64); 3] {
    [
        (Resolution::Second, &tables.chunks, BUCKET_MS),
        (Resolution::Minute, &tables.minutes, BUCKET_MS * 6),
        (Resolution::Hour, &tables.hours, DAY_MS),
    ]
}

/// Removes the rows before an instant and notes it; returns how many bytes they had.
fn drop_before(
    tables: &Tables,
    resolution: Resolution,
    table: &Keyspace,
    cutoff: i64,
) -> Result<u64, StoreError> {
    let database = &tables.database;
    let name = watermark_name(resolution);
    let known = tables
        .meta
        .get(name)?
        .and_then(|bytes| bytes.first_chunk::<8>().map(|bytes| i64::from_be_bytes(*bytes)));
    if known.is_some_and(|known| known > cutoff) {
        return Ok(0);
    }
    let mut bytes = 0;
    let mut write = database.batch();
    write.insert(&tables.meta, name, cutoff.to_be_bytes().to_vec());
    for host in hosts(tables)? {
        for row in table.range(keys::between(&host, i64::MIN, cutoff)) {
            let (key, value) = row.into_inner()?;
            bytes += (key.len() + value.len()) as u64;
            write.remove(table, key);
        }
    }
    write.commit()?;
    Ok(bytes)
}

fn oldest(tables: &Tables, table: &Keyspace) -> Result<Option<i64>, StoreError> {
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
