//! Which resolution answers a question, and in which steps. Pure.

use super::HistoryError;
use crate::store::Resolution;

/// Most points of an answer: more than a wide screen has columns.
pub const HISTORY_POINTS_MAX: usize = 5_000;

/// Most series of one question: all that a page shows at once, and a bound on the work of one request.
pub const HISTORY_SERIES_MAX: usize = 64;

/// Most values that are read for one answer; past it the next coarser resolution answers, so that a question
/// cannot keep the server busy.
const VALUES_READ_MAX: i64 = 1_000_000;

/// A question about the past of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryRequest {
    /// Names of the series.
    pub series: Vec<String>,
    /// First instant, milliseconds since 1970-01-01 UTC.
    pub from_unix_ms: i64,
    /// Instant after the last one.
    pub to_unix_ms: i64,
    /// Most points wanted.
    pub points: usize,
}

/// From which instant on each resolution is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct KeptFrom {
    pub(super) raw: i64,
    pub(super) minutes: i64,
    pub(super) hours: i64,
}

/// How a question is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) resolution: Resolution,
    pub(super) step_ms: i64,
    /// Start of the first step.
    pub(super) first_unix_ms: i64,
    pub(super) points: usize,
    /// Nothing is kept before this.
    pub(super) kept_from_unix_ms: i64,
}

impl HistoryRequest {
    pub(super) fn check(&self) -> Result<(), HistoryError> {
        if self.from_unix_ms >= self.to_unix_ms {
            return Err(HistoryError::EmptyRange {
                from_unix_ms: self.from_unix_ms,
                to_unix_ms: self.to_unix_ms,
            });
        }
        if self.points == 0 || self.points > HISTORY_POINTS_MAX {
            return Err(HistoryError::Points { points: self.points });
        }
        if self.series.is_empty() || self.series.len() > HISTORY_SERIES_MAX {
            return Err(HistoryError::SeriesCount {
                count: self.series.len(),
            });
        }
        Ok(())
    }
}

/// The finest resolution that is kept for the whole window and whose rows are not too many to read; the step is
/// the shortest whole number of rows that keeps within the points.
pub(super) fn plan(from: i64, to: i64, points: usize, values_a_row: usize, kept: KeptFrom) -> Plan {
    let span = to.saturating_sub(from).max(1);
    let points = i64::try_from(points.max(1)).unwrap_or(i64::MAX);
    let target = span.saturating_add(points - 1) / points;
    let candidates = [
        (Resolution::Second, kept.raw),
        (Resolution::Minute, kept.minutes),
        (Resolution::Hour, kept.hours),
    ];
    let values_a_row = i64::try_from(values_a_row.max(1)).unwrap_or(i64::MAX);
    let reaches_back = |kept_from: i64| {
        // A coarser resolution helps only when it reaches further back.
        kept_from <= from || candidates.iter().all(|(_, other)| *other >= kept_from)
    };
    let fits = |&&(resolution, kept_from): &&(Resolution, i64)| {
        let rows = span / resolution.step_ms();
        let coarser_would_do = match resolution {
            Resolution::Second => target >= Resolution::Minute.step_ms(),
            Resolution::Minute => target >= Resolution::Hour.step_ms(),
            Resolution::Hour => false,
        };
        reaches_back(kept_from) && rows.saturating_mul(values_a_row) <= VALUES_READ_MAX && !coarser_would_do
    };
    let (resolution, kept_from_unix_ms) = *candidates.iter().find(fits).unwrap_or(&candidates[2]);
    let row = resolution.step_ms();
    let mut step_ms = (target.saturating_add(row - 1) / row).max(1).saturating_mul(row);
    let mut first_unix_ms = from - from.rem_euclid(step_ms);
    // A first step that begins before the window can cost one more point than asked for.
    while (to.saturating_sub(first_unix_ms)).saturating_add(step_ms - 1) / step_ms > points.max(2) {
        step_ms = step_ms.saturating_add(row);
        first_unix_ms = from - from.rem_euclid(step_ms);
    }
    let points = (to.saturating_sub(first_unix_ms)).saturating_add(step_ms - 1) / step_ms;
    Plan {
        resolution,
        step_ms,
        first_unix_ms,
        points: usize::try_from(points).unwrap_or(usize::MAX),
        kept_from_unix_ms,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: KeptFrom = KeptFrom {
        raw: i64::MIN,
        minutes: i64::MIN,
        hours: i64::MIN,
    };
    const HOUR: i64 = 3_600_000;
    const NOON: i64 = 1_795_262_400_000;

    #[test]
    fn a_quarter_of_an_hour_is_shown_second_by_second() {
        let plan = plan(NOON, NOON + HOUR / 4, 1_000, 1, ALL);
        assert_eq!(
            (plan.resolution, plan.step_ms, plan.points),
            (Resolution::Second, 1_000, 900)
        );
    }

    #[test]
    fn a_day_is_made_of_minutes_and_a_year_of_hours() {
        let day = plan(NOON, NOON + 24 * HOUR, 1_000, 1, ALL);
        assert_eq!((day.resolution, day.step_ms), (Resolution::Minute, 120_000));
        let year = plan(NOON, NOON + 365 * 24 * HOUR, 1_000, 1, ALL);
        assert_eq!(year.resolution, Resolution::Hour);
    }

    #[test]
    fn what_is_past_retention_comes_from_the_next_coarser_one() {
        let kept = KeptFrom {
            raw: NOON,
            minutes: NOON - 24 * HOUR,
            hours: i64::MIN,
        };
        assert_eq!(
            plan(NOON - HOUR, NOON, 4_000, 1, kept).resolution,
            Resolution::Minute
        );
        assert_eq!(
            plan(NOON - 25 * HOUR, NOON, 4_000, 1, kept).resolution,
            Resolution::Hour
        );
        assert_eq!(
            plan(NOON, NOON + HOUR, 4_000, 1, kept).resolution,
            Resolution::Second
        );
    }

    proptest! {
        #[test]
        fn points_cover_the_window_and_are_no_more_than_asked(
            from in -1_i64 << 42..1 << 42, span in 1_i64..1 << 40, points in 1_usize..5_000, series in 1_usize..64
        ) {
            let plan = plan(from, from + span, points, series, ALL);
            prop_assert!(plan.points <= points.max(2), "{:?}", plan);
            prop_assert!(plan.first_unix_ms <= from);
            prop_assert!(plan.first_unix_ms + plan.step_ms > from);
            let end = plan.first_unix_ms + plan.step_ms * plan.points as i64;
            prop_assert!(end >= from + span && end - plan.step_ms < from + span);
            prop_assert_eq!(plan.step_ms % plan.resolution.step_ms(), 0);
        }
    }
}
