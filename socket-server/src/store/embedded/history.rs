//! The past of a host: packed and unpacked samples, stored roll-ups, and those that late samples have outdated.

use std::collections::{BTreeMap, BTreeSet};

use fjall::Readable as _;

use super::{
    keys,
    pack::{BUCKET_MS, DAY_MS},
    rollup_chunk,
    sample_chunk::SampleChunk,
    view::{View, from_json},
};
use crate::store::{
    DroppedRecord, HistoryRow, HostId, Resolution, StoreError,
    rollup::{LOOK_BACK_MS, Rollup, step_start},
    series::{SeriesKind, add_value, rate_per_second, visit_readings},
};

const HOUR_MS: i64 = Resolution::Hour.step_ms();

impl View {
    /// Rows of every sample in a window.
    pub(super) fn seconds(
        &self,
        host: &HostId,
        series: &[String],
        from: i64,
        to: i64,
        limit: usize,
    ) -> Result<Vec<HistoryRow>, StoreError> {
        let mut rows = SecondRows::new(series, from, limit);
        let pending: BTreeSet<i64> = self
            .pending(host, from.saturating_sub(LOOK_BACK_MS), to)?
            .into_iter()
            .collect();
        let start = from.saturating_sub(LOOK_BACK_MS);
        let first = step_start(start, BUCKET_MS);
        let mut buckets = pending.clone();
        for row in self
            .snapshot
            .range(&self.tables.chunks, keys::between(host, first, to))
        {
            buckets.extend(keys::time_of(host, &row.key()?));
        }
        for bucket in buckets {
            if rows.is_full() {
                break;
            }
            if pending.contains(&bucket) {
                let (begin, end) = (bucket.max(start), bucket.saturating_add(BUCKET_MS).min(to));
                rows.add_samples(
                    self.samples(host, begin, end)?
                        .iter()
                        .map(|stored| &stored.sample),
                );
            } else if let Some(bytes) = self.snapshot.get(&self.tables.chunks, keys::at(host, bucket))? {
                rows.add_chunk(&SampleChunk::open(&bytes)?, start, to)?;
            }
        }
        Ok(rows.rows)
    }

    /// Minutes of a window; `wanted` limits the series that are read.
    pub(super) fn minutes(
        &self,
        host: &HostId,
        wanted: Option<&[String]>,
        from: i64,
        to: i64,
    ) -> Result<Rollup, StoreError> {
        let raw_from = self.watermark(Resolution::Second)?;
        let mut outdated: BTreeSet<i64> = BTreeSet::new();
        for bucket in self.pending(host, from.saturating_sub(BUCKET_MS), to)? {
            // The first rates of the next bucket come from the end of this one.
            outdated.extend([bucket, bucket.saturating_add(BUCKET_MS)]);
        }
        let mut rollup = Rollup::default();
        let stored = keys::between(host, step_start(from, BUCKET_MS), to);
        for row in self.snapshot.range(&self.tables.minutes, stored) {
            let (key, value) = row.into_inner()?;
            let bucket = keys::time_of(host, &key).unwrap_or_default();
            if !outdated.contains(&bucket) || bucket < raw_from {
                rollup.merge(rollup_chunk::decode(&value, wanted)?);
            }
        }
        for bucket in outdated {
            if bucket >= to || bucket.saturating_add(BUCKET_MS) <= from {
                continue;
            }
            if bucket >= raw_from || self.is_pending(host, bucket)? {
                rollup.merge(self.minutes_from_samples(host, bucket)?);
            }
        }
        Ok(rollup)
    }

    /// Minutes of one bucket, made from its samples.
    pub(super) fn minutes_from_samples(&self, host: &HostId, bucket: i64) -> Result<Rollup, StoreError> {
        let begin = bucket.saturating_sub(LOOK_BACK_MS);
        let samples = self.samples(host, begin, bucket.saturating_add(BUCKET_MS))?;
        let samples = samples.iter().map(|stored| &stored.sample);
        Ok(Rollup::of_samples(samples, Resolution::Minute, bucket))
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
            if hour >= minutes_from {
                let minutes = self.minutes(host, wanted, hour, hour.saturating_add(HOUR_MS))?;
                rollup.merge(minutes.coarsened(Resolution::Hour));
            } else {
                for bucket in self.pending(host, hour, hour.saturating_add(HOUR_MS))? {
                    rollup.merge(
                        self.minutes_from_samples(host, bucket)?
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
        for stored in self.unpacked(host, from, to)? {
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

/// Rows at full resolution as they are put together.
struct SecondRows<'a> {
    series: &'a [String],
    places: BTreeMap<&'a str, usize>,
    /// The newest total of each series that is a counter.
    before: Vec<Option<(i64, f64)>>,
    from: i64,
    limit: usize,
    rows: Vec<HistoryRow>,
}

impl<'a> SecondRows<'a> {
    fn new(series: &'a [String], from: i64, limit: usize) -> Self {
        Self {
            series,
            places: series
                .iter()
                .enumerate()
                .map(|(place, name)| (name.as_str(), place))
                .collect(),
            before: vec![None; series.len()],
            from,
            limit,
            rows: Vec::new(),
        }
    }

    fn is_full(&self) -> bool {
        self.rows.len() > self.limit
    }

    /// Begins the row of a sample; false when it is before the window.
    fn begin(&mut self, time: i64) -> bool {
        if time < self.from {
            return false;
        }
        if self.rows.last().is_none_or(|row| row.time_unix_ms != time) {
            self.rows.push(HistoryRow {
                time_unix_ms: time,
                samples: 0,
                values: vec![None; self.series.len()],
            });
        }
        if let Some(row) = self.rows.last_mut() {
            row.samples += 1;
        }
        true
    }

    fn put(&mut self, inside: bool, time: i64, place: usize, kind: SeriesKind, value: f64) {
        let shown = match kind {
            SeriesKind::Gauge => Some(value),
            SeriesKind::Counter => {
                let now = (time, value);
                self.before[place]
                    .replace(now)
                    .and_then(|before| rate_per_second(before, now))
            }
        };
        if let (true, Some(shown), Some(row)) = (inside, shown, self.rows.last_mut()) {
            add_value(&mut row.values[place], shown);
        }
    }

    fn add_samples<'s>(&mut self, samples: impl Iterator<Item = &'s metric_flow_protocol::metrics::Sample>) {
        for sample in samples {
            let time = sample.time_unix_ms;
            let inside = self.begin(time);
            visit_readings(sample, |name, kind, value| {
                if let Some(&place) = self.places.get(name) {
                    self.put(inside, time, place, kind, value);
                }
            });
        }
        self.trim();
    }

    fn add_chunk(&mut self, chunk: &SampleChunk<'_>, start: i64, to: i64) -> Result<(), StoreError> {
        let mut columns = Vec::with_capacity(self.series.len());
        for name in self.series {
            columns.push(chunk.series(name)?);
        }
        for (number, &time) in chunk.times.iter().enumerate() {
            if time < start || time >= to {
                continue;
            }
            let inside = self.begin(time);
            for (place, column) in columns.iter().enumerate() {
                let found = column
                    .as_ref()
                    .and_then(|column| Some((column.kind, column.values[number]?)));
                if let Some((kind, value)) = found {
                    self.put(inside, time, place, kind, value);
                }
            }
        }
        self.trim();
        Ok(())
    }

    /// Ends the reading once there is a row over the limit, which shows that the last one is whole.
    fn trim(&mut self) {
        if self.is_full() {
            self.rows.truncate(self.limit + 1);
        }
    }
}
