//! Number of processes and of running ones, without listing them.

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::PathBuf,
    time::{Duration, Instant},
};

use metric_flow_protocol::metrics::{Processes, Sample};

use super::{
    Collector, ReadingError,
    fields::{fields, number},
    kept_file::KeptFile,
    schedule::Schedule,
};
use crate::host_root::HostRoot;

/// How often the processes are counted one by one, to know how far the link count of `/proc` is off.
const COUNT_EVERY: Duration = Duration::from_secs(60);

/// Counts processes.
///
/// The link count of `/proc` is the number of processes plus that of its fixed folders (`proc_root_getattr` in the
/// kernel's `fs/proc/root.c`): one call instead of a listing that costs half a microsecond for each process. The
/// fixed part comes from a listing every [`COUNT_EVERY`]. The running ones are in `/proc/loadavg`.
#[derive(Debug)]
pub(super) struct ProcessCollector {
    proc: PathBuf,
    loadavg: KeptFile,
    schedule: Schedule,
    fixed_links: i64,
}

impl ProcessCollector {
    pub(super) fn new(root: &HostRoot) -> Self {
        Self {
            proc: root.proc(""),
            loadavg: KeptFile::new(root.proc("loadavg")),
            schedule: Schedule::new(COUNT_EVERY),
            fixed_links: 0,
        }
    }

    fn total(&mut self, now: Instant) -> io::Result<u64> {
        let links = i64::try_from(fs::metadata(&self.proc)?.nlink()).unwrap_or(i64::MAX);
        if self.schedule.is_due(now) {
            let counted = count_processes(&self.proc)?;
            self.fixed_links = links.saturating_sub(i64::try_from(counted).unwrap_or(i64::MAX));
            return Ok(counted);
        }
        Ok(u64::try_from(links.saturating_sub(self.fixed_links)).unwrap_or(0))
    }
}

impl Collector for ProcessCollector {
    fn name(&self) -> &'static str {
        "processes"
    }

    fn collect(
        &mut self,
        now: Instant,
        buffer: &mut Vec<u8>,
        sample: &mut Sample,
    ) -> Result<(), ReadingError> {
        let total = self.total(now).map_err(|source| ReadingError::Io {
            path: self.proc.clone(),
            source,
        })?;
        let text = self.loadavg.read(buffer)?;
        let running = running(text).ok_or_else(|| self.loadavg.malformed())?;
        sample.processes = Some(Processes {
            total: u32::try_from(total).unwrap_or(u32::MAX),
            running,
        });
        Ok(())
    }
}

fn count_processes(proc: &PathBuf) -> io::Result<u64> {
    let mut count = 0;
    for entry in fs::read_dir(proc)? {
        let name = entry?.file_name();
        count += u64::from(name.as_encoded_bytes().first().is_some_and(u8::is_ascii_digit));
    }
    Ok(count)
}

/// The number before the slash of `0.07 0.28 0.28 3/117 21083`.
fn running(text: &[u8]) -> Option<u32> {
    let field = fields(text).nth(3)?;
    number(field.split(|&byte| byte == b'/').next()?)
}
