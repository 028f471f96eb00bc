//! Roll-ups: what a minute or an hour of samples comes to. Pure.

use std::collections::BTreeMap;

use metric_flow_protocol::metrics::Sample;

use super::{
    HistoryRow, Resolution, SeriesAggregate,
    series::{RATE_SPAN_MS_MAX, RateTracker, add_value},
};

/// What some steps of one host come to, by the start of the step.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rollup {
    /// One entry for each step that has samples.
    pub steps: BTreeMap<i64, RollupStep>,
}

/// What one step comes to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RollupStep {
    /// How many samples.
    pub samples: u32,
    /// What each series comes to, by its name.
    pub series: BTreeMap<String, SeriesAggregate>,
}

/// A step to which samples are still added.
#[derive(Default)]
struct OpenStep {
    start: i64,
    samples: u32,
    /// By the places of the series.
    series: Vec<Option<SeriesAggregate>>,
}

/// Start of the step that an instant belongs to.
pub const fn step_start(time_unix_ms: i64, step_ms: i64) -> i64 {
    time_unix_ms.saturating_sub(time_unix_ms.rem_euclid(step_ms))
}

/// How far before its window a question must look, so that the first counter inside has a rate.
pub const LOOK_BACK_MS: i64 = RATE_SPAN_MS_MAX;

impl Rollup {
    /// Rolls up samples, given in the order of their time; those before `from_unix_ms` only feed the rates.
    pub fn of_samples<'a>(
        samples: impl IntoIterator<Item = &'a Sample>,
        resolution: Resolution,
        from_unix_ms: i64,
    ) -> Self {
        let mut rollup = Self::default();
        let mut rates = RateTracker::default();
        let mut step = OpenStep::default();
        for sample in samples {
            let time = sample.time_unix_ms;
            let inside = time >= from_unix_ms;
            if inside {
                let start = match resolution {
                    Resolution::Second => time,
                    rolled => step_start(time, rolled.step_ms()),
                };
                if step.start != start {
                    rollup.close(&mut step, rates.names());
                    step.start = start;
                }
                step.samples = step.samples.saturating_add(1);
            }
            rates.next(sample, |place, _, value| {
                if !inside {
                    return;
                }
                if place >= step.series.len() {
                    step.series.resize(place + 1, None);
                }
                add_value(&mut step.series[place], value);
            });
        }
        rollup.close(&mut step, rates.names());
        rollup
    }

    /// Keeps what an open step comes to, and leaves it empty.
    fn close(&mut self, open: &mut OpenStep, names: &[String]) {
        if open.samples == 0 {
            return;
        }
        let values = names.iter().zip(&mut open.series);
        let series = values.filter_map(|(name, value)| Some((name.clone(), value.take()?)));
        let step = RollupStep {
            samples: std::mem::take(&mut open.samples),
            series: series.collect(),
        };
        self.steps.entry(open.start).or_default().merge(step);
    }

    /// What rows of the named series hold: the way back from [`Self::rows`].
    pub fn of_rows(series: &[String], rows: &[HistoryRow]) -> Self {
        let step = |row: &HistoryRow| {
            let values = series.iter().zip(&row.values);
            let series = values.filter_map(|(name, value)| Some((name.clone(), (*value)?)));
            let step = RollupStep {
                samples: row.samples,
                series: series.collect(),
            };
            (row.time_unix_ms, step)
        };
        Self {
            steps: rows.iter().map(step).collect(),
        }
    }

    /// Adds what other samples of the same or other steps come to. Where both have a step, `later` is taken to
    /// hold the newer samples.
    pub fn merge(&mut self, later: Self) {
        for (start, step) in later.steps {
            self.steps.entry(start).or_default().merge(step);
        }
    }

    /// The same in longer steps.
    pub fn coarsened(&self, resolution: Resolution) -> Self {
        let mut coarse = Self::default();
        for (start, step) in &self.steps {
            let start = step_start(*start, resolution.step_ms());
            coarse.steps.entry(start).or_default().merge(step.clone());
        }
        coarse
    }

    /// Only the steps with `from_unix_ms <= start < to_unix_ms`.
    pub fn within(mut self, from_unix_ms: i64, to_unix_ms: i64) -> Self {
        self.steps
            .retain(|start, _| (from_unix_ms..to_unix_ms).contains(start));
        self
    }

    /// The steps within a window as rows of the named series.
    pub fn rows(&self, series: &[String], from_unix_ms: i64, to_unix_ms: i64) -> Vec<HistoryRow> {
        if from_unix_ms >= to_unix_ms {
            return Vec::new();
        }
        let row = |(&time_unix_ms, step): (&i64, &RollupStep)| HistoryRow {
            time_unix_ms,
            samples: step.samples,
            values: series.iter().map(|name| step.series.get(name).copied()).collect(),
        };
        self.steps.range(from_unix_ms..to_unix_ms).map(row).collect()
    }
}

impl RollupStep {
    /// Adds newer samples of the same step.
    pub fn merge(&mut self, later: Self) {
        self.samples = self.samples.saturating_add(later.samples);
        for (name, value) in later.series {
            self.series
                .entry(name)
                .and_modify(|known| *known = known.merged(value))
                .or_insert(value);
        }
    }
}

impl SeriesAggregate {
    /// With one newer value; one that is not finite is left out.
    pub fn with_value(self, value: f64) -> Self {
        let mut step = Some(self);
        add_value(&mut step, value);
        step.unwrap_or(self)
    }

    /// With the newer values of the same step.
    pub fn merged(self, later: Self) -> Self {
        Self {
            min: self.min.min(later.min),
            max: self.max.max(later.max),
            sum: self.sum + later.sum,
            last: later.last,
            count: self.count.saturating_add(later.count),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "a test fails by panicking")]

    use metric_flow_protocol::metrics::{Interface, Load};
    use proptest::prelude::*;

    use super::*;

    fn sample((offset_ms, load, total): (i64, u16, u64)) -> Sample {
        Sample {
            time_unix_ms: offset_ms,
            load: Some(Load {
                one_minute: f32::from(load),
                ..Load::default()
            }),
            interfaces: vec![Interface {
                name: "eth0".to_owned(),
                received_bytes_total: total,
                ..Interface::default()
            }],
            ..Sample::default()
        }
    }

    proptest! {
        #[test]
        fn hours_from_minutes_are_hours_from_samples(
            mut readings in prop::collection::vec((-4_000_000_i64..8_000_000, 0_u16..500, 0_u64..1_000_000), 0..300)
        ) {
            readings.sort_unstable();
            let samples: Vec<Sample> = readings.into_iter().map(sample).collect();
            let minutes = Rollup::of_samples(&samples, Resolution::Minute, i64::MIN);
            let direct = Rollup::of_samples(&samples, Resolution::Hour, i64::MIN);
            let coarse = minutes.coarsened(Resolution::Hour);
            prop_assert_eq!(direct.steps.len(), coarse.steps.len());
            for (start, step) in &direct.steps {
                let other = &coarse.steps[start];
                prop_assert_eq!(step.samples, other.samples);
                for (name, value) in &step.series {
                    let found = other.series.get(name).expect("has the series");
                    prop_assert_eq!((value.min, value.max, value.last, value.count), (found.min, found.max, found.last, found.count));
                    prop_assert!((value.sum - found.sum).abs() <= 1e-6 * value.sum.abs().max(1.0));
                }
            }
            let counted: u32 = minutes.steps.values().map(|step| step.samples).sum();
            prop_assert_eq!(counted as usize, samples.len());
        }
    }
}
