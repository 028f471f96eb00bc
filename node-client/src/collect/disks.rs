//! Counters of each physical disk, from `/proc/diskstats`.

use std::time::{Duration, Instant};

use metric_flow_protocol::metrics::{Disk, Sample};

use super::{
    Collector, ReadingError,
    fields::{fields, lines, number, text},
    kept_file::KeptFile,
    schedule::Schedule,
};
use crate::host_root::HostRoot;

/// The unit of the sector counts, whatever the disk's own sectors are (iostats.rst of the kernel).
const SECTOR_BYTES: u64 = 512;

/// How often a name is looked up anew: a disk may come and go under the name of another device.
const LOOK_UP_EVERY: Duration = Duration::from_secs(60);

/// Reads `/proc/diskstats` and keeps the lines of whole physical disks.
#[derive(Debug)]
pub(super) struct DiskCollector {
    root: HostRoot,
    diskstats: KeptFile,
    schedule: Schedule,
    known: Vec<(Vec<u8>, bool)>,
}

impl DiskCollector {
    pub(super) fn new(root: &HostRoot) -> Self {
        Self {
            root: root.clone(),
            diskstats: KeptFile::new(root.proc("diskstats")),
            schedule: Schedule::new(LOOK_UP_EVERY),
            known: Vec::new(),
        }
    }
}

impl Collector for DiskCollector {
    fn name(&self) -> &'static str {
        "disks"
    }

    fn collect(
        &mut self,
        now: Instant,
        buffer: &mut Vec<u8>,
        sample: &mut Sample,
    ) -> Result<(), ReadingError> {
        if self.schedule.is_due(now) {
            self.known.clear();
        }
        let content = match self.diskstats.read(buffer) {
            Ok(content) => content,
            // A kernel without block devices has no such file.
            Err(error) if error.is_absent() => return Ok(()),
            Err(error) => return Err(error),
        };
        let mut malformed = false;
        for line in lines(content) {
            let Some(name) = fields(line).nth(2) else {
                malformed = true;
                continue;
            };
            let physical = match self.known.iter().find(|(known, _)| known == name) {
                Some((_, physical)) => *physical,
                None => {
                    let physical = is_physical(&self.root, name);
                    self.known.push((name.to_vec(), physical));
                    physical
                }
            };
            if !physical {
                continue;
            }
            match parse(line) {
                Some(disk) => sample.disks.push(disk),
                None => malformed = true,
            }
        }
        if malformed {
            Err(self.diskstats.malformed())
        } else {
            Ok(())
        }
    }
}

fn parse(line: &[u8]) -> Option<Disk> {
    let mut columns = fields(line).skip(2);
    let name = text(columns.next()?);
    let mut counters = [0_u64; 7];
    for counter in &mut counters {
        *counter = number(columns.next()?)?;
    }
    let [reads, _, sectors_read, _, writes, _, sectors_written] = counters;
    Some(Disk {
        name,
        read_bytes_total: sectors_read.saturating_mul(SECTOR_BYTES),
        written_bytes_total: sectors_written.saturating_mul(SECTOR_BYTES),
        read_operations_total: reads,
        write_operations_total: writes,
    })
}

/// A whole disk with a device behind it: no partition, no optical drive, and none of the devices that pass the work
/// on to others (loop, device mapper, RAID), whose bytes would count twice.
pub(crate) fn is_physical(root: &HostRoot, name: &[u8]) -> bool {
    const NO_DISK: [&[u8]; 3] = [b"sr", b"fd", b"ram"];
    if NO_DISK.iter().any(|prefix| name.starts_with(prefix)) {
        return false;
    }
    // Below /sys/block a slash in a name is written as an exclamation mark.
    let entry = text(name).replace('/', "!");
    root.sys("block").join(entry).join("device").exists()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "a test fails by panicking")]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sectors_become_bytes() {
        let line = b" 254 0 vda 118355 28664 7018706 116576 41895 58492 5945960 22906 0 33748 148756 14438 8";
        let disk = parse(line).expect("a diskstats line");
        assert_eq!(disk.name, "vda");
        assert_eq!(disk.read_bytes_total, 7_018_706 * 512);
        assert_eq!(disk.written_bytes_total, 5_945_960 * 512);
        assert_eq!(
            (disk.read_operations_total, disk.write_operations_total),
            (118_355, 41_895)
        );
        assert_eq!(parse(b" 8 1 sda1 1 2 3"), None);
    }

    proptest! {
        #[test]
        fn no_line_panics(line in "[ 0-9a-z/\u{fffd}-]{0,200}") {
            let _ = parse(line.as_bytes());
        }
    }
}
