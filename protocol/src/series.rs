//! The answer of the history API: columns, coverage and gaps.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The past of one host, as `GET /api/v1/hosts/{id}/history` gives it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct History {
    /// The host.
    pub host_id: String,
    /// First instant asked for, milliseconds since 1970-01-01 UTC.
    #[ts(type = "number")]
    pub from_unix_ms: i64,
    /// Instant after the last one asked for.
    #[ts(type = "number")]
    pub to_unix_ms: i64,
    /// Distance of two points.
    #[ts(type = "number")]
    pub step_ms: i64,
    /// Start of each point's step.
    #[ts(type = "number[]")]
    pub times_unix_ms: Vec<i64>,
    /// One column for each series asked for, as long as `times_unix_ms`.
    pub columns: Vec<Column>,
    /// How many samples there are, of how many there should be, for each point, 0 to 1.
    pub coverage: Vec<f32>,
    /// Stretches without samples, and why.
    pub gaps: Vec<Gap>,
}

/// One series over the points of a history.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct Column {
    /// Name of the series, such as `cpu_used_percent` or `disk_read_bytes_per_second:nvme0n1`.
    pub series: String,
    /// Mean over the step; `null` where there is no sample.
    pub mean: Vec<Option<f64>>,
    /// Smallest value of the step, so that dips survive.
    pub min: Vec<Option<f64>>,
    /// Largest value of the step, so that peaks survive.
    pub max: Vec<Option<f64>>,
}

/// A stretch without samples.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct Gap {
    /// First instant without a sample.
    #[ts(type = "number")]
    pub from_unix_ms: i64,
    /// First instant with one again.
    #[ts(type = "number")]
    pub to_unix_ms: i64,
    /// Why.
    pub reason: GapReason,
}

/// Why samples are missing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum GapReason {
    /// Nothing is known yet: the host may still bring them.
    #[default]
    NotReceived,
    /// The host's spool was full.
    SpoolFull,
    /// They were older than the host's spool keeps.
    TooOld,
    /// The host's spool was damaged.
    Damaged,
    /// The host could not write its disk.
    DiskFailed,
    /// The node-client did not run.
    ClientNotRunning,
    /// The server dropped them: past retention or over its size limit.
    Expired,
}
