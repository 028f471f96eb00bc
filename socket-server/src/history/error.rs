//! Why a question about the past has no answer.

use thiserror::Error;

use super::plan::{HISTORY_POINTS_MAX, HISTORY_SERIES_MAX};
use crate::store::StoreError;

/// Why a question about the past has no answer.
#[derive(Debug, Error)]
pub enum HistoryError {
    /// `from` is not before `to`.
    #[error(
        "the range is empty: from ({from_unix_ms}) must be before to ({to_unix_ms}), both in milliseconds since 1970"
    )]
    EmptyRange {
        /// What was asked for.
        from_unix_ms: i64,
        /// What was asked for.
        to_unix_ms: i64,
    },
    /// Too few or too many points.
    #[error("points must be between 1 and {HISTORY_POINTS_MAX}, not {points}")]
    Points {
        /// What was asked for.
        points: usize,
    },
    /// No series, or too many.
    #[error("name between 1 and {HISTORY_SERIES_MAX} series, not {count}")]
    SeriesCount {
        /// How many were asked for.
        count: usize,
    },
    /// The host has no such series in that range.
    #[error("the host has no series {name} in that range{}", hint_words(.nearest.as_deref()))]
    UnknownSeries {
        /// What was asked for.
        name: String,
        /// The most similar one that there is.
        nearest: Option<String>,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn hint_words(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |nearest| format!("; did you mean {nearest}?"))
}
