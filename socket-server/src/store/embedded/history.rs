//! The past of a host: packed and unpacked samples, stored roll-ups, and those that late samples have outdated.

use std::collections::{BTreeMap, BTreeSet};

use fjall::{Readable as _, UserValue};

use super::{
    keys,
    pack::{BUCKET_MS, DAY_MS},
    rollup_chunk,
    sample_chunk::SampleChunk,
    sample_rows::SampleRows,
    view::{View, from_json},
};
use crate::store::{
    DroppedRecord, HistoryRow, HostId, Resolution, StoreError,
    rollup::{LOOK_BACK_MS, Rollup, step_start},
    series::visit_readings,
};

const HOUR_MS: i64 = Resolution::Hour.step_ms();

/// Where the minutes of a window come from.
struct MinuteSources {
    /// Chunks of minutes.
    stored: Vec<UserValue>,
    /// Buckets whose minutes are not stored, or no longer right.
    outdated: Vec<i64>,
}

impl View {
    /// Rows of a window, made from its samples.
    pub(super) fn sample_rows(
        &self,
        host: &HostId,
        series: &[String],
        resolution: Resolution,
        from: i64,
        to: i64,
        limit: usize,
    ) -> Result<Vec<HistoryRow>, StoreError> {
        let mut rows = SampleRows::new(series, resolution, from, limit);
        let pending: BTreeSet<i64> = self
            .pending(host, from.saturating_sub(LOOK_BACK_MS), to)?
            .into_iter()
            .collect();
        let start = from.saturating_sub(LOOK_BACK_MS);
        let first = step_start(start, BUCKET_MS);
        let mut packed: BTreeMap<i64, UserValue> = BTreeMap::new();
        for row in self
            .snapshot
            .range(&self.tables.chunks, keys::between(host, first, to))
        {
            let (key, value) = row.into_inner()?;
            packed.extend(keys::time_of(host, &key).map(|bucket| (bucket, value)));
        }
        let buckets: BTreeSet<i64> = pending.iter().chain(packed.keys()).copied().collect();
        for bucket in buckets {
            if rows.is_full() {
                break;
            }
            let (begin, end) = (bucket.max(start), bucket.saturating_add(BUCKET_MS).min(to));
            match packed.get(&bucket) {
                Some(bytes) if !pending.contains(&bucket) => {
                    rows.add_chunk(&SampleChunk::open(bytes)?, start, to)?;
                }
                // Late samples lie between those of the chunk.
                Some(_) => {
                    let samples = self.samples(host, begin, end)?;
                    rows.add_samples(samples.iter().map(|stored| &stored.sample));
                }
                None => rows.add_unpacked(&self.unpacked(host, begin, end)?)?,
            }
        }
        Ok(rows.into_rows())
    }

    /// Minutes of a window as rows of the named series.
    pub(super) fn minute_rows(
        &self,
        host: &HostId,
        series: &[String],
        from: i64,
        to: i64,
    ) -> Result<Vec<HistoryRow>, StoreError> {
        let sources = self.minute_sources(host, from, to)?;
        let mut rows = Vec::new();
        for bytes in &sources.stored {
            rollup_chunk::decode_rows(bytes, series, &mut rows)?;
        }
        // Neighbours are read together, since each needs the end of the one before it.
        for buckets in sources
            .outdated
            .chunk_by(|one, next| one.saturating_add(BUCKET_MS) == *next)
        {
            let (first, last) = (buckets[0], buckets[buckets.len() - 1]);
            let end = last.saturating_add(BUCKET_MS);
            rows.extend(self.sample_rows(host, series, Resolution::Minute, first, end, usize::MAX)?);
        }
        rows.retain(|row| (from..to).contains(&row.time_unix_ms));
        // Where a step has both, its samples are newer than what was stored, and the order of sorting keeps that.
        rows.sort_by_key(|row| row.time_unix_ms);
        rows.dedup_by(|later, row| {
            let same = later.time_unix_ms == row.time_unix_ms;
            if same {
                row.merge(later);
            }
            same
        });
        Ok(rows)
    }

    /// Minutes of a window, of every series.
    pub(super) fn minutes(&self, host: &HostId, from: i64, to: i64) -> Result<Rollup, StoreError> {
        let sources = self.minute_sources(host, from, to)?;
        let mut rollup = Rollup::default();
        for bytes in &sources.stored {
            rollup.merge(rollup_chunk::decode(bytes, None)?);
        }
        for bucket in sources.outdated {
            rollup.merge(self.minutes_from_samples(host, bucket)?);
        }
        Ok(rollup)
    }

    /// Which chunks of minutes still hold, and which buckets have to be rolled up from their samples.
    fn minute_sources(&self, host: &HostId, from: i64, to: i64) -> Result<MinuteSources, StoreError> {
        let raw_from = self.watermark(Resolution::Second)?;
        let mut outdated: BTreeSet<i64> = BTreeSet::new();
        for bucket in self.pending(host, from.saturating_sub(BUCKET_MS), to)? {
            // The first rates of the next bucket come from the end of this one.
            outdated.extend([bucket, bucket.saturating_add(BUCKET_MS)]);
        }
        let mut stored = Vec::new();
        let range = keys::between(host, step_start(from, BUCKET_MS), to);
        for row in self.snapshot.range(&self.tables.minutes, range) {
            let (key, value) = row.into_inner()?;
            let bucket = keys::time_of(host, &key).unwrap_or_default();
            if !outdated.contains(&bucket) || bucket < raw_from {
                stored.push(value);
            }
        }
        let mut from_samples = Vec::new();
        for bucket in outdated {
            let inside = bucket < to && bucket.saturating_add(BUCKET_MS) > from;
            if inside && (bucket >= raw_from || self.is_pending(host, bucket)?) {
                from_samples.push(bucket);
            }
        }
        Ok(MinuteSources {
            stored,
            outdated: from_samples,
        })
    }

    /// Minutes of every series of one bucket, made from its samples.
    pub(super) fn minutes_from_samples(&self, host: &HostId, bucket: i64) -> Result<Rollup, StoreError> {
        let begin = bucket.saturating_sub(LOOK_BACK_MS);
        let samples = self.samples(host, begin, bucket.saturating_add(BUCKET_MS))?;
        let samples = samples.iter().map(|stored| &stored.sample);
        Ok(Rollup::of_samples(samples, Resolution::Minute, bucket))
    }

    /// Minutes of one bucket, made from its samples; `wanted` limits the series.
    fn minutes_of_bucket(
        &self,
        host: &HostId,
        wanted: Option<&[String]>,
        bucket: i64,
    ) -> Result<Rollup, StoreError> {
        let Some(wanted) = wanted else {
            return self.minutes_from_samples(host, bucket);
        };
        let end = bucket.saturating_add(BUCKET_MS);
        let rows = self.sample_rows(host, wanted, Resolution::Minute, bucket, end, usize::MAX)?;
        Ok(Rollup::of_rows(wanted, &rows))
    }

    /// Hours of a window; `wanted` limits the series that are read.
    pub(super) fn hours(
        &self,
        host: &HostId,
        wanted: Option<&[String]>,
        from: i64,
        to: i64,
    ) -> Result<Rollup, StoreError> {
        let minutes_from = self.watermark(Resolution::Minute)?;
        let begin = step_start(from, HOUR_MS);
        let mut outdated: BTreeSet<i64> = BTreeSet::new();
        for bucket in self.pending(host, begin.saturating_sub(BUCKET_MS), to)? {
            outdated.insert(step_start(bucket, HOUR_MS));
            outdated.insert(step_start(bucket.saturating_add(BUCKET_MS), HOUR_MS));
        }
        let mut rollup = Rollup::default();
        let stored = keys::between(host, step_start(from, DAY_MS), to);
        for row in self.snapshot.range(&self.tables.hours, stored) {
            let mut day = rollup_chunk::decode(&row.value()?, wanted)?;
            day.steps
                .retain(|hour, _| !outdated.contains(hour) || *hour < minutes_from);
            rollup.merge(day);
        }
        for hour in outdated {
            let end = hour.saturating_add(HOUR_MS);
            if hour >= minutes_from {
                let minutes = match wanted {
                    Some(series) => Rollup::of_rows(series, &self.minute_rows(host, series, hour, end)?),
                    None => self.minutes(host, hour, end)?.within(hour, end),
                };
                rollup.merge(minutes.coarsened(Resolution::Hour));
            } else {
                for bucket in self.pending(host, hour, end)? {
                    rollup.merge(
                        self.minutes_of_bucket(host, wanted, bucket)?
                            .coarsened(Resolution::Hour),
                    );
                }
            }
        }
        Ok(rollup)
    }

    /// Names of the series that a host has in a window, from whatever resolution is still there.
    pub(super) fn series_names(&self, host: &HostId, from: i64, to: i64) -> Result<Vec<String>, StoreError> {
        let mut names = BTreeSet::new();
        let (raw_from, minutes_from) = (
            self.watermark(Resolution::Second)?,
            self.watermark(Resolution::Minute)?,
        );
        let tables = &self.tables;
        for row in self.snapshot.range(
            &tables.chunks,
            keys::between(host, step_start(from, BUCKET_MS), to),
        ) {
            let bytes = row.value()?;
            let chunk = SampleChunk::open(&bytes)?;
            let inside = |time: &i64| (from..to).contains(time);
            if chunk.times.iter().all(inside) {
                names.extend(chunk.names().map(str::to_owned));
            } else {
                for name in chunk.names() {
                    let values = chunk
                        .series(name)?
                        .map(|series| series.values)
                        .unwrap_or_default();
                    if chunk
                        .times
                        .iter()
                        .zip(values)
                        .any(|(time, value)| inside(time) && value.is_some())
                    {
                        names.insert(name.to_owned());
                    }
                }
            }
        }
        for stored in self.unpacked(host, from, to)?.samples()? {
            visit_readings(&stored.sample, |name, _, _| {
                if !names.contains(name) {
                    names.insert(name.to_owned());
                }
            });
        }
        let rolled = [
            (&tables.minutes, BUCKET_MS, raw_from),
            (&tables.hours, DAY_MS, minutes_from),
        ];
        for (table, span, finer_from) in rolled {
            let range = keys::between(host, step_start(from, span), to.min(finer_from));
            for row in self.snapshot.range(table, range) {
                names.extend(rollup_chunk::names(&row.value()?)?);
            }
        }
        Ok(names.into_iter().collect())
    }

    /// Reported drops that touch a window.
    pub(super) fn dropped(
        &self,
        host: &HostId,
        from: i64,
        to: i64,
    ) -> Result<Vec<DroppedRecord>, StoreError> {
        let mut found = Vec::new();
        for row in self
            .snapshot
            .prefix(&self.tables.dropped, keys::host_prefix(host))
        {
            let record: DroppedRecord = from_json(&row.value()?)?;
            if record.from_unix_ms < to && record.to_unix_ms >= from {
                found.push(record);
            }
        }
        Ok(found)
    }
}
