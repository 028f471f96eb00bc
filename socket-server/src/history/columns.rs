//! Rows of the store into the steps of an answer; the smallest and largest value of a step survive. Pure.

use metric_flow_protocol::series::Column;

use super::plan::Plan;
use crate::store::{HistoryRow, SeriesAggregate};

/// The steps of an answer while rows come in.
pub(super) struct Steps {
    first_unix_ms: i64,
    step_ms: i64,
    samples: Vec<u32>,
    /// By series, then by step.
    values: Vec<Vec<Option<SeriesAggregate>>>,
}

impl Steps {
    pub(super) fn new(plan: &Plan, series: usize) -> Self {
        Self {
            first_unix_ms: plan.first_unix_ms,
            step_ms: plan.step_ms,
            samples: vec![0; plan.points],
            values: vec![vec![None; plan.points]; series],
        }
    }

    /// Adds a row; rows come by time.
    pub(super) fn add(&mut self, row: &HistoryRow) {
        let place = (row.time_unix_ms - self.first_unix_ms).div_euclid(self.step_ms);
        let Some(place) = usize::try_from(place)
            .ok()
            .filter(|place| *place < self.samples.len())
        else {
            return;
        };
        self.samples[place] = self.samples[place].saturating_add(row.samples);
        for (steps, value) in self.values.iter_mut().zip(&row.values) {
            let known = &mut steps[place];
            *known = match (*known, *value) {
                (Some(known), Some(value)) => Some(known.merged(value)),
                (known, value) => value.or(known),
            };
        }
    }

    pub(super) fn times(&self) -> Vec<i64> {
        (0..self.samples.len() as i64)
            .map(|step| self.first_unix_ms + step * self.step_ms)
            .collect()
    }

    /// Mean of one series in each step.
    pub(super) fn means(&self, series: usize) -> Vec<Option<f64>> {
        self.values[series].iter().map(|step| step.map(mean)).collect()
    }

    pub(super) fn columns(&self, names: &[String]) -> Vec<Column> {
        let column = |(name, steps): (&String, &Vec<Option<SeriesAggregate>>)| Column {
            series: name.clone(),
            mean: steps.iter().map(|step| step.map(mean)).collect(),
            min: steps.iter().map(|step| step.map(|value| value.min)).collect(),
            max: steps.iter().map(|step| step.map(|value| value.max)).collect(),
        };
        names.iter().zip(&self.values).map(column).collect()
    }

    /// How many of the samples that were due are there, for each step; only the part of a step between `from` and
    /// `to` counts.
    pub(super) fn coverage(&self, from: i64, to: i64, interval_ms: i64) -> Vec<f32> {
        let covered = |(time, samples): (i64, &u32)| {
            let due = (time + self.step_ms).min(to) - time.max(from);
            // A second more or less at the edges of a step is no hole.
            let due = (due / interval_ms).max(1) as f32;
            (*samples as f32 / due).min(1.0)
        };
        self.times().into_iter().zip(&self.samples).map(covered).collect()
    }
}

fn mean(value: SeriesAggregate) -> f64 {
    value.sum / f64::from(value.count.max(1))
}
