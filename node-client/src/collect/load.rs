//! Load averages, from `/proc/loadavg`.

use std::time::Instant;

use metric_flow_protocol::metrics::{Load, Sample};

use super::{
    Collector, ReadingError,
    fields::{decimal, fields},
    kept_file::KeptFile,
};
use crate::host_root::HostRoot;

/// Reads the kernel's three averages.
#[derive(Debug)]
pub(super) struct LoadCollector {
    loadavg: KeptFile,
}

impl LoadCollector {
    pub(super) fn new(root: &HostRoot) -> Self {
        Self {
            loadavg: KeptFile::new(root.proc("loadavg")),
        }
    }
}

impl Collector for LoadCollector {
    fn name(&self) -> &'static str {
        "load"
    }

    fn collect(
        &mut self,
        _now: Instant,
        buffer: &mut Vec<u8>,
        sample: &mut Sample,
    ) -> Result<(), ReadingError> {
        let text = self.loadavg.read(buffer)?;
        sample.load = parse(text);
        if sample.load.is_some() {
            Ok(())
        } else {
            Err(self.loadavg.malformed())
        }
    }
}

fn parse(text: &[u8]) -> Option<Load> {
    let mut averages = fields(text).map(|field| decimal(field).map(|average| average as f32));
    Some(Load {
        one_minute: averages.next()??,
        five_minutes: averages.next()??,
        fifteen_minutes: averages.next()??,
    })
}
