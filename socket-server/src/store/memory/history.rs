//! The past of a host, made from its samples at each question.

use std::collections::{BTreeMap, BTreeSet};

use super::state::Past;
use crate::store::{
    DroppedRecord, HistoryRow, Resolution,
    series::{RateTracker, add_value, visit_readings},
};

impl Past {
    pub(super) fn history(
        &self,
        series: &[String],
        resolution: Resolution,
        from_unix_ms: i64,
        to_unix_ms: i64,
        limit: usize,
    ) -> Vec<HistoryRow> {
        let positions: BTreeMap<&str, usize> = series
            .iter()
            .enumerate()
            .map(|(position, name)| (name.as_str(), position))
            .collect();
        let mut rates = RateTracker::default();
        let mut rows: Vec<HistoryRow> = Vec::new();
        for ((time_unix_ms, _, _), sample) in &self.samples {
            if *time_unix_ms >= to_unix_ms {
                break;
            }
            let step_unix_ms = match resolution {
                Resolution::Second => *time_unix_ms,
                rolled => time_unix_ms - time_unix_ms.rem_euclid(rolled.step_ms()),
            };
            let wanted = step_unix_ms >= from_unix_ms;
            if wanted && rows.last().is_none_or(|row| row.time_unix_ms != step_unix_ms) {
                if rows.len() == limit {
                    break;
                }
                let values = vec![None; series.len()];
                rows.push(HistoryRow {
                    time_unix_ms: step_unix_ms,
                    samples: 0,
                    values,
                });
            }
            let mut row = rows.last_mut().filter(|_| wanted);
            if let Some(row) = &mut row {
                row.samples += 1;
            }
            // Samples before the window still feed the rates of the first one inside it.
            rates.next(sample, |_, name, value| {
                if let (Some(row), Some(&position)) = (&mut row, positions.get(name)) {
                    add_value(&mut row.values[position], value);
                }
            });
        }
        rows
    }

    pub(super) fn series_names(&self, from_unix_ms: i64, to_unix_ms: i64) -> Vec<String> {
        let mut names = BTreeSet::new();
        for ((time_unix_ms, _, _), sample) in &self.samples {
            if (from_unix_ms..to_unix_ms).contains(time_unix_ms) {
                visit_readings(sample, |name, _, _| {
                    if !names.contains(name) {
                        names.insert(name.to_owned());
                    }
                });
            }
        }
        names.into_iter().collect()
    }

    pub(super) fn dropped_within(&self, from_unix_ms: i64, to_unix_ms: i64) -> Vec<DroppedRecord> {
        self.dropped
            .iter()
            .map(|(_, range)| range)
            .filter(|range| range.from_unix_ms < to_unix_ms && range.to_unix_ms >= from_unix_ms)
            .cloned()
            .collect()
    }
}
