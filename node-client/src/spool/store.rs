//! The spool itself: numbers samples, keeps them, gives them back, forgets them.

use std::{collections::VecDeque, fs::File, io, path::Path};

use metric_flow_protocol::{
    metrics::Sample,
    node::{DropReason, Dropped},
};
use prost::Message as _;

use super::{
    drops::{DropLedger, dropped},
    folder::{Folder, OpenFailure, SpoolError, new_epoch, open},
    limits::SpoolLimits,
    memory::MemoryQueue,
    position::Position,
    record::{Stamp, record},
    segment::{ActiveSegment, Segment},
};

/// A host's bounded store of samples that are not acknowledged yet.
#[derive(Debug)]
pub struct Spool {
    pub(super) limits: SpoolLimits,
    pub(super) epoch: String,
    pub(super) next_seq: u64,
    /// Last number that was used before this program started.
    used_before: u64,
    /// Whether the server has said, since this program started, what it holds.
    agreed: bool,
    pub(super) folder: Option<Folder>,
    pub(super) position: Position,
    pub(super) segments: VecDeque<Segment>,
    pub(super) active: Option<ActiveSegment>,
    pub(super) unsynced: Vec<File>,
    pub(super) memory: MemoryQueue,
    pub(super) drops: DropLedger,
    torn_bytes: u64,
    pub(super) problem: Option<String>,
    pub(super) retry_disk_unix_ms: i64,
}

/// Files to force to the disk, away from the spool's lock.
#[derive(Debug)]
pub struct SyncHandle {
    files: Vec<File>,
}

impl SyncHandle {
    /// Waits until all of it is on the disk.
    ///
    /// # Errors
    /// When the disk says so; [`Spool::sync_failed`] wants to know.
    pub fn sync(self) -> io::Result<()> {
        self.files.iter().try_for_each(File::sync_data)
    }
}

impl Spool {
    /// Opens or makes the spool in `folder`. A folder that cannot be used costs its safety, not the samples: they
    /// wait in memory, and [`problem`](Self::problem) says why.
    ///
    /// # Errors
    /// When another process uses the folder.
    pub fn open(folder: &Path, limits: SpoolLimits, now_unix_ms: i64) -> Result<Self, SpoolError> {
        match open(folder, now_unix_ms) {
            Ok(opened) => Ok(Self {
                limits,
                epoch: opened.epoch,
                next_seq: opened.next_seq,
                used_before: opened.next_seq - 1,
                agreed: false,
                folder: Some(opened.folder),
                position: opened.position,
                segments: opened.segments.into(),
                active: None,
                unsynced: Vec::new(),
                memory: MemoryQueue::default(),
                drops: opened.drops,
                torn_bytes: opened.torn_bytes,
                problem: None,
                retry_disk_unix_ms: 0,
            }),
            Err(OpenFailure::InUse) => Err(SpoolError::InUse {
                path: folder.to_owned(),
            }),
            Err(OpenFailure::Io(error)) => {
                let problem = format!(
                    "the spool {} cannot be used ({error}): samples wait in memory and are lost when this program \
                     ends; make the folder writable and restart",
                    folder.display()
                );
                Ok(Self::in_memory(limits, Some(problem)))
            }
        }
    }

    /// A spool without a folder.
    pub fn in_memory(limits: SpoolLimits, problem: Option<String>) -> Self {
        Self {
            limits,
            epoch: new_epoch(),
            next_seq: 1,
            used_before: 0,
            agreed: false,
            folder: None,
            position: Position::default(),
            segments: VecDeque::new(),
            active: None,
            unsynced: Vec::new(),
            memory: MemoryQueue::default(),
            drops: DropLedger::default(),
            torn_bytes: 0,
            problem,
            retry_disk_unix_ms: i64::MAX,
        }
    }

    /// The numbering.
    pub fn epoch(&self) -> &str {
        &self.epoch
    }

    /// Highest number in use; 0 for none.
    pub fn last_seq(&self) -> u64 {
        self.next_seq - 1
    }

    /// The server holds all up to this one.
    pub fn acknowledged(&self) -> u64 {
        self.position.acknowledged
    }

    /// Why samples wait in memory instead of on the disk.
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// What is lost and not known to the server.
    pub fn drops(&self) -> &DropLedger {
        &self.drops
    }

    /// Bytes that were found damaged at the start.
    pub fn torn_bytes(&self) -> u64 {
        self.torn_bytes
    }

    /// Samples that wait.
    pub fn waiting(&self) -> u64 {
        let acknowledged = self.position.acknowledged;
        let on_disk: u64 = self
            .on_disk()
            .map(|segment| segment.samples.min(segment.last.seq.saturating_sub(acknowledged)))
            .sum();
        on_disk + self.memory.len()
    }

    /// Numbers a sample and keeps it. `now_unix_ms` is a clock that does not jump: it decides what is too old.
    pub fn append(&mut self, sample: &mut Sample, now_unix_ms: i64) {
        sample.seq = self.next_seq;
        self.next_seq += 1;
        let stamp = Stamp {
            seq: sample.seq,
            time_unix_ms: sample.time_unix_ms,
        };
        let bytes = record(sample);
        if self.problem.is_some() && now_unix_ms >= self.retry_disk_unix_ms {
            self.try_disk_again(now_unix_ms);
        }
        if self.problem.is_none() {
            match self.write(stamp, &bytes) {
                Ok(()) => return self.keep_limits(now_unix_ms),
                Err(error) => self.leave_disk(&error, now_unix_ms),
            }
        }
        self.reserve_in_memory();
        let lost = self.memory.push(stamp, bytes, self.limits.memory_bytes_max);
        if let (Some(first), Some(last)) = (lost.first(), lost.last()) {
            self.lose((*first, *last), DropReason::DiskFailed);
        }
    }

    /// Forgets all up to `seq`: the server holds it.
    pub fn acknowledge(&mut self, seq: u64) {
        let seq = seq.min(self.last_seq());
        if seq <= self.position.acknowledged {
            return;
        }
        self.position.acknowledged = seq;
        self.remove_acknowledged();
        self.memory.forget_through(seq);
        if self.drops.forget_through(seq) {
            self.save_drops();
        }
        self.save_position(false);
    }

    /// The server says what it holds of this numbering, at the start of a connection.
    pub fn agree(&mut self, durable_seq: u64, now_unix_ms: i64) {
        let known = if self.agreed {
            self.last_seq()
        } else {
            self.used_before
        };
        self.agreed = true;
        if durable_seq > known {
            tracing::warn!(
                "the server knows samples of this host that its spool does not: was the disk set back? Samples taken \
                 since the start get new numbers"
            );
            self.renumber_above(durable_seq, now_unix_ms);
        } else {
            self.acknowledge(durable_seq);
        }
    }

    /// The spool is older than the server's knowledge: samples taken since the start get numbers above all known.
    fn renumber_above(&mut self, durable_seq: u64, now_unix_ms: i64) {
        let since_start = self.used_before;
        let mut taken = Vec::new();
        taken.extend(self.segments.drain(..));
        taken.extend(self.active.take().map(|active| active.segment));
        let mut waiting = std::mem::take(&mut self.memory);
        let last = self.last_seq();
        self.drops.forget_through(durable_seq);
        self.position.acknowledged = durable_seq;
        self.used_before = durable_seq.max(last);
        self.next_seq = self.used_before + 1;
        if last > durable_seq {
            let times = (now_unix_ms, now_unix_ms);
            self.drops
                .add(dropped((durable_seq + 1, last), times, DropReason::Unknown));
        }
        self.save_drops();
        for segment in taken {
            let mut samples = Vec::new();
            let read = segment.read(since_start, |_, payload| {
                samples.extend(Sample::decode(payload));
                true
            });
            if let Err(error) = read {
                tracing::warn!("samples could not be renumbered: {error}");
            }
            for mut sample in samples {
                self.append(&mut sample, now_unix_ms);
            }
            segment.remove();
        }
        while let Some((_, bytes)) = waiting.pop() {
            if let Ok(mut sample) = Sample::decode(&bytes[8..]) {
                self.append(&mut sample, now_unix_ms);
            }
        }
        self.save_position(true);
    }

    /// Samples after `after` up to and with `through`, oldest first, as many as fit.
    pub fn read(&mut self, after: u64, through: u64, samples_max: usize, bytes_max: usize) -> Vec<Sample> {
        let mut given = Vec::new();
        let mut bytes = 0;
        let mut at = after;
        let mut damaged = Vec::new();
        let mut take = |stamp: Stamp, payload: &[u8]| {
            bytes += payload.len();
            let fits = given.is_empty() || bytes <= bytes_max;
            if stamp.seq > through || given.len() >= samples_max || !fits {
                return false;
            }
            given.extend(Sample::decode(payload));
            true
        };
        for segment in self.on_disk() {
            if segment.last.seq <= at {
                continue;
            }
            if segment.first.seq > through {
                break;
            }
            let mut read_through = at;
            let read = segment.read(at, |stamp, payload| {
                let taken = take(stamp, payload);
                if taken {
                    read_through = stamp.seq;
                }
                taken
            });
            let more = match read {
                Ok(more) => more,
                Err(error) => {
                    tracing::warn!("a part of the spool cannot be read: {error}");
                    true
                }
            };
            if !more {
                break;
            }
            if read_through < segment.last.seq {
                damaged.push((read_through.max(segment.first.seq - 1) + 1, segment.last));
            }
            at = segment.last.seq;
        }
        let on_disk_through = self.on_disk().last().map_or(0, |segment| segment.last.seq);
        if at >= on_disk_through.min(through) {
            for (stamp, record) in self.memory.iter().filter(|(stamp, _)| stamp.seq > at) {
                if !take(*stamp, &record[8..]) {
                    break;
                }
            }
        }
        for (first_seq, last) in damaged {
            let first = Stamp {
                seq: first_seq,
                ..last
            };
            self.lose((first, last), DropReason::Damaged);
        }
        given
    }

    /// Lost samples that the server does not know of.
    pub fn unreported(&self) -> Vec<Dropped> {
        self.drops.ranges().to_vec()
    }

    /// What has been written since the last call, to be forced to the disk.
    pub fn sync_handle(&mut self) -> Option<SyncHandle> {
        let mut files = std::mem::take(&mut self.unsynced);
        files.extend(self.active.as_ref().and_then(|active| active.handle().ok()));
        (!files.is_empty()).then_some(SyncHandle { files })
    }

    /// The disk did not take what was written: from here on a crash may lose samples, and the next start will know.
    pub fn sync_failed(&mut self, error: &io::Error, now_unix_ms: i64) {
        self.leave_disk(error, now_unix_ms);
    }

    /// Brings everything to the disk and marks the spool as closed in order.
    pub fn close(&mut self, now_unix_ms: i64) {
        if self.problem.is_some() && self.folder.is_some() {
            self.try_disk_again(now_unix_ms);
        }
        let synced = self.sync_handle().is_none_or(|handle| handle.sync().is_ok());
        self.position.closed = synced && self.memory.is_empty() && self.problem.is_none();
        self.save_position(true);
    }
}
