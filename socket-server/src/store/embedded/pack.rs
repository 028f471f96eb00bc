//! Packing: the samples of a bucket become a chunk, their minutes and their hours, in one atomic step.

use fjall::{OwnedWriteBatch, Readable as _};

use super::{
    keys, rollup_chunk,
    sample_chunk::{self, SampleChunk, StoredSample},
    view::View,
    writer::WriterState,
};
use crate::store::{
    HostId, Resolution, StoreError,
    rollup::{LOOK_BACK_MS, Rollup, step_start},
};

/// Length of a chunk of samples and of the minutes beside it: long enough to compress well, short enough that
/// little has to be read for a look at the newest seconds.
pub(super) const BUCKET_MS: i64 = 600_000;

/// Length of a chunk of hours.
pub(super) const DAY_MS: i64 = 86_400_000;

const HOUR_MS: i64 = Resolution::Hour.step_ms();

/// Packs one bucket. A bucket whose samples are past retention only adds to the roll-ups that are left.
pub(super) fn pack(state: &mut WriterState, host: &HostId, bucket: i64) -> Result<(), StoreError> {
    let view = View::new(&state.tables);
    if !view.is_pending(host, bucket)? {
        return Ok(());
    }
    let tables = &state.tables;
    let mut write = tables.database.batch();
    let end = bucket.saturating_add(BUCKET_MS);
    // With the end of the bucket before it, for the first rates.
    let samples = view.samples(host, bucket.saturating_sub(LOOK_BACK_MS), end)?;
    let fresh = Rollup::of_samples(
        samples.iter().map(|stored| &stored.sample),
        Resolution::Minute,
        bucket,
    );
    let raw_from = view.watermark(Resolution::Second)?;
    let minutes_from = view.watermark(Resolution::Minute)?;
    let mut minutes = Rollup::default();
    if bucket >= raw_from {
        let first = samples.partition_point(|stored| stored.sample.time_unix_ms < bucket);
        let samples = &samples[first..];
        mark_next(&view, &mut write, host, bucket, samples)?;
        write.insert(
            &tables.chunks,
            keys::at(host, bucket),
            sample_chunk::encode(samples)?,
        );
    } else if bucket >= minutes_from
        && let Some(bytes) = view.snapshot.get(&tables.minutes, keys::at(host, bucket))?
    {
        minutes = rollup_chunk::decode(&bytes, None)?;
    }
    if bucket >= minutes_from {
        minutes.merge(fresh.clone());
        write.insert(
            &tables.minutes,
            keys::at(host, bucket),
            rollup_chunk::encode(&minutes)?,
        );
    }
    put_hour(&view, &mut write, host, bucket, &minutes, fresh)?;
    for row in view.snapshot.range(&tables.raw, keys::between(host, bucket, end)) {
        write.remove(&tables.raw, row.key()?);
    }
    write.remove(&tables.pending, keys::at(host, bucket));
    write.commit()?;
    state.settled.unmark(host);
    Ok(())
}

/// Has the next bucket packed again when its first rates have changed with the end of this one.
fn mark_next(
    view: &View,
    write: &mut OwnedWriteBatch,
    host: &HostId,
    bucket: i64,
    samples: &[StoredSample],
) -> Result<(), StoreError> {
    let tables = &view.tables;
    let before = match view.snapshot.get(&tables.chunks, keys::at(host, bucket))? {
        Some(bytes) => SampleChunk::open(&bytes)?.times.last().copied(),
        None => None,
    };
    let now = samples.last().map(|stored| stored.sample.time_unix_ms);
    let next = keys::at(host, bucket.saturating_add(BUCKET_MS));
    if before != now && view.snapshot.contains_key(&tables.chunks, &next)? {
        write.insert(&tables.pending, next, Vec::new());
    }
    Ok(())
}

/// Writes the hour that a bucket lies in: from its minutes where all of them are kept, else by adding to it.
fn put_hour(
    view: &View,
    write: &mut OwnedWriteBatch,
    host: &HostId,
    bucket: i64,
    minutes: &Rollup,
    fresh: Rollup,
) -> Result<(), StoreError> {
    let tables = &view.tables;
    let (hour, day) = (step_start(bucket, HOUR_MS), step_start(bucket, DAY_MS));
    if hour < view.watermark(Resolution::Hour)? {
        return Ok(());
    }
    let mut of_day = match view.snapshot.get(&tables.hours, keys::at(host, day))? {
        Some(bytes) => rollup_chunk::decode(&bytes, None)?,
        None => Rollup::default(),
    };
    if hour >= view.watermark(Resolution::Minute)? {
        let mut of_hour = Rollup::default();
        for row in view.snapshot.range(
            &tables.minutes,
            keys::between(host, hour, hour.saturating_add(HOUR_MS)),
        ) {
            let (key, value) = row.into_inner()?;
            if keys::time_of(host, &key) != Some(bucket) {
                of_hour.merge(rollup_chunk::decode(&value, None)?);
            }
        }
        of_hour.merge(minutes.clone());
        of_day.steps.remove(&hour);
        of_day.merge(of_hour.coarsened(Resolution::Hour));
    } else {
        of_day.merge(fresh.coarsened(Resolution::Hour));
    }
    write.insert(&tables.hours, keys::at(host, day), rollup_chunk::encode(&of_day)?);
    Ok(())
}
