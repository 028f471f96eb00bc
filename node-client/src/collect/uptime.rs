//! Seconds since the host booted, from `/proc/uptime`.

use std::time::Instant;

use metric_flow_protocol::metrics::Sample;

use super::{
    Collector, ReadingError,
    fields::{decimal, fields},
    kept_file::KeptFile,
};
use crate::host_root::HostRoot;

/// Reads the first number of `/proc/uptime`.
#[derive(Debug)]
pub(super) struct UptimeCollector {
    uptime: KeptFile,
}

impl UptimeCollector {
    pub(super) fn new(root: &HostRoot) -> Self {
        Self {
            uptime: KeptFile::new(root.proc("uptime")),
        }
    }
}

impl Collector for UptimeCollector {
    fn name(&self) -> &'static str {
        "uptime"
    }

    fn collect(
        &mut self,
        _now: Instant,
        buffer: &mut Vec<u8>,
        sample: &mut Sample,
    ) -> Result<(), ReadingError> {
        let text = self.uptime.read(buffer)?;
        sample.uptime_seconds = fields(text).next().and_then(decimal);
        if sample.uptime_seconds.is_some() {
            Ok(())
        } else {
            Err(self.uptime.malformed())
        }
    }
}
