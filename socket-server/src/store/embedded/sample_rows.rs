//! From samples, packed or not, to the rows of an answer.

use metric_flow_protocol::metrics::Sample;

use super::{encoded::Fields, sample_chunk::SampleChunk, unpacked::Unpacked};
use crate::store::{
    HistoryRow, Resolution, StoreError,
    rollup::step_start,
    series::{SeriesKind, add_value, rate_per_second, visit_readings},
};

/// Rows of the named series, made from samples in the order of their time.
pub(super) struct SampleRows<'a> {
    series: &'a [String],
    resolution: Resolution,
    /// The newest total of each series that is a counter.
    before: Vec<Option<(i64, f64)>>,
    from: i64,
    limit: usize,
    rows: Vec<HistoryRow>,
}

impl<'a> SampleRows<'a> {
    /// Rows that begin at `from`; samples before it only feed the rates. Reading ends above `limit` rows.
    pub(super) fn new(series: &'a [String], resolution: Resolution, from: i64, limit: usize) -> Self {
        Self {
            series,
            resolution,
            before: vec![None; series.len()],
            from,
            limit,
            rows: Vec::new(),
        }
    }

    /// The rows, of which the last may be one too many.
    pub(super) fn into_rows(self) -> Vec<HistoryRow> {
        self.rows
    }

    pub(super) fn is_full(&self) -> bool {
        self.rows.len() > self.limit
    }

    /// Begins the row of a sample; false when it is before the window.
    fn begin(&mut self, time: i64) -> bool {
        if time < self.from {
            return false;
        }
        let start = match self.resolution {
            Resolution::Second => time,
            rolled => step_start(time, rolled.step_ms()),
        };
        if self.rows.last().is_none_or(|row| row.time_unix_ms != start) {
            self.rows.push(HistoryRow {
                time_unix_ms: start,
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

    pub(super) fn add_samples<'s>(&mut self, samples: impl Iterator<Item = &'s Sample>) {
        for sample in samples {
            self.add_sample(sample.time_unix_ms, sample);
        }
        self.trim();
    }

    pub(super) fn add_unpacked(&mut self, unpacked: &Unpacked) -> Result<(), StoreError> {
        let fields = Fields::of_series(self.series);
        for sample in unpacked.iter() {
            self.add_sample(sample.time_unix_ms, &fields.decode(sample.encoded)?);
        }
        self.trim();
        Ok(())
    }

    fn add_sample(&mut self, time: i64, sample: &Sample) {
        let inside = self.begin(time);
        visit_readings(sample, |name, kind, value| {
            // A question names a few series; a map would cost more than these comparisons.
            if let Some(place) = self.series.iter().position(|wanted| wanted == name) {
                self.put(inside, time, place, kind, value);
            }
        });
    }

    pub(super) fn add_chunk(
        &mut self,
        chunk: &SampleChunk<'_>,
        start: i64,
        to: i64,
    ) -> Result<(), StoreError> {
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
