//! The clock of this machine: the one place that reads it.

use std::time::{Duration, SystemTime};

/// Milliseconds since 1970; none have passed on a clock that is set to before that.
#[must_use]
pub fn now_unix_ms() -> u64 {
    u64::try_from(since_1970().as_millis()).unwrap_or(u64::MAX)
}

/// Whole seconds since 1970.
#[must_use]
pub fn now_unix_seconds() -> u64 {
    since_1970().as_secs()
}

fn since_1970() -> Duration {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
}
