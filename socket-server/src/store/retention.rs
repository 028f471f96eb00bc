//! How long each resolution is kept.

use std::time::Duration;

use super::Resolution;

const DAY: Duration = Duration::from_secs(86_400);

/// Every sample is kept for two days: long enough to look at last night's incident second by second.
pub const RAW_RETENTION: Duration = Duration::from_secs(2 * 86_400);
/// Minutes are kept for thirty days: a month's comparison still shows peaks of a minute.
pub const MINUTE_RETENTION: Duration = Duration::from_secs(30 * 86_400);
/// Hours are kept for two years: last year's season can be compared.
pub const HOUR_RETENTION: Duration = Duration::from_secs(730 * 86_400);

/// How long each resolution is kept, and in how many bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Every sample.
    pub raw: Duration,
    /// Minute roll-ups.
    pub minutes: Duration,
    /// Hour roll-ups.
    pub hours: Duration,
    /// Most bytes on disk; over it the oldest of the finest resolution goes first. `None` for no limit.
    pub bytes_max: Option<u64>,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            raw: RAW_RETENTION,
            minutes: MINUTE_RETENTION,
            hours: HOUR_RETENTION,
            bytes_max: None,
        }
    }
}

impl Retention {
    /// First instant of a resolution that is to be kept at `now_unix_ms`.
    pub fn cutoff(&self, resolution: Resolution, now_unix_ms: i64) -> i64 {
        let kept = match resolution {
            Resolution::Second => self.raw,
            Resolution::Minute => self.minutes,
            Resolution::Hour => self.hours,
        };
        now_unix_ms.saturating_sub(i64::try_from(kept.max(DAY / 24).as_millis()).unwrap_or(i64::MAX))
    }
}
