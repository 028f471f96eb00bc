//! Used and total bytes of each file system that stores data.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use metric_flow_protocol::metrics::{FileSystem, Sample};

use super::{
    Collector, ReadingError,
    kept_file::KeptFile,
    mounts::{self, Mount},
    probe::{self, Probe, Usage},
    schedule::Schedule,
};
use crate::host_root::HostRoot;

/// How often the list of mounts is read: on a host with hundreds of containers it is long, and seldom changes.
const MOUNTS_EVERY: Duration = Duration::from_secs(10);

/// Most file systems of one host: a sample has to fit into a frame with others.
const FILE_SYSTEMS_MAX: usize = 64;

/// Most file systems that get a thread of their own.
const PROBES_MAX: usize = 16;

/// Asks each file system once a second; those that may hang are asked from threads of their own.
#[derive(Debug)]
pub(super) struct FileSystemCollector {
    root: HostRoot,
    mounts: KeptFile,
    schedule: Schedule,
    shown: Vec<Shown>,
}

#[derive(Debug)]
struct Shown {
    mount: Mount,
    path: PathBuf,
    probe: Option<Probe>,
}

impl FileSystemCollector {
    pub(super) fn new(root: &HostRoot) -> Self {
        Self {
            root: root.clone(),
            mounts: KeptFile::new(root.proc_of_init("mounts")),
            schedule: Schedule::new(MOUNTS_EVERY),
            shown: Vec::new(),
        }
    }

    /// Reads the list of mounts anew. What is still mounted keeps its thread.
    fn refresh(&mut self, buffer: &mut Vec<u8>) -> Result<(), ReadingError> {
        let mut before = std::mem::take(&mut self.shown);
        let mut probes = 0;
        for mount in mounts::choose(self.mounts.read(buffer)?)
            .into_iter()
            .take(FILE_SYSTEMS_MAX)
        {
            let known = before.iter().position(|shown| shown.mount == mount);
            let shown = match known {
                Some(index) => before.swap_remove(index),
                None => {
                    let path = self.root.join(&mount.mount_point);
                    Shown {
                        mount,
                        path,
                        probe: None,
                    }
                }
            };
            probes += usize::from(shown.mount.may_hang);
            if !shown.mount.may_hang || probes <= PROBES_MAX {
                self.shown.push(shown);
            }
        }
        Ok(())
    }
}

impl Collector for FileSystemCollector {
    fn name(&self) -> &'static str {
        "file systems"
    }

    fn collect(
        &mut self,
        now: Instant,
        buffer: &mut Vec<u8>,
        sample: &mut Sample,
    ) -> Result<(), ReadingError> {
        if self.schedule.is_due(now) {
            self.refresh(buffer)?;
        }
        let mut first_error = None;
        for shown in &mut self.shown {
            match shown.usage() {
                // File systems of programs may have no size at all.
                Ok(Some(usage)) if usage.total_bytes > 0 => sample.file_systems.push(FileSystem {
                    mount_point: shown.mount.mount_point.clone(),
                    device: shown.mount.device.clone(),
                    total_bytes: usage.total_bytes,
                    used_bytes: usage.used_bytes,
                }),
                Ok(_) => {}
                Err(source) => {
                    first_error.get_or_insert(ReadingError::Io {
                        path: shown.path.clone(),
                        source,
                    });
                }
            }
        }
        first_error.map_or(Ok(()), Err)
    }
}

impl Shown {
    fn usage(&mut self) -> std::io::Result<Option<Usage>> {
        if !self.mount.may_hang {
            return probe::usage(&self.path).map(Some);
        }
        let probe = match &mut self.probe {
            Some(probe) => probe,
            missing => missing.insert(Probe::start(self.path.clone())?),
        };
        Ok(probe.usage())
    }
}
