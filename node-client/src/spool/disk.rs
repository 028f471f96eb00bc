//! What a spool does to its disk, and what it does when the disk refuses.

use std::io;

use metric_flow_protocol::node::DropReason;

use super::{
    drops::dropped,
    position::RESERVED_AHEAD,
    record::Stamp,
    segment::{ActiveSegment, Segment},
    store::Spool,
};

/// How long a disk that failed is left alone, in milliseconds: trying costs one write, and what waits in memory
/// meanwhile is lost if the program is killed.
const DISK_RETRY_MS: i64 = 5_000;

impl Spool {
    pub(super) fn on_disk(&self) -> impl Iterator<Item = &Segment> {
        self.segments
            .iter()
            .chain(self.active.as_ref().map(|active| &active.segment))
    }

    pub(super) fn write(&mut self, stamp: Stamp, bytes: &[u8]) -> io::Result<()> {
        let Some(folder) = &mut self.folder else {
            return Err(io::Error::other("there is no folder"));
        };
        self.position.newest_unix_ms = stamp.time_unix_ms;
        if stamp.seq + RESERVED_AHEAD / 2 > self.position.reserved_through {
            self.position.reserved_through = stamp.seq + RESERVED_AHEAD;
            folder.position_file.write(&self.position, true)?;
        }
        match &mut self.active {
            Some(active) if active.bytes() < self.limits.segment_bytes => active.append(stamp, bytes),
            _ => {
                let fresh = ActiveSegment::create(&folder.path, &self.epoch, stamp, bytes)?;
                if let Some(full) = self.active.replace(fresh) {
                    self.unsynced.extend(full.handle());
                    self.segments.push_back(full.segment);
                    self.remove_acknowledged();
                }
                Ok(())
            }
        }
    }

    pub(super) fn leave_disk(&mut self, error: &io::Error, now_unix_ms: i64) {
        let folder = self
            .folder
            .as_ref()
            .map(|folder| folder.path.display().to_string());
        let problem = format!(
            "the spool {} cannot be written ({error}): samples wait in memory until it can",
            folder.unwrap_or_default()
        );
        tracing::warn!("{problem}");
        self.problem = Some(problem);
        self.retry_disk_unix_ms = now_unix_ms.saturating_add(DISK_RETRY_MS);
        self.position.complete = false;
        self.save_position(true);
    }

    pub(super) fn try_disk_again(&mut self, now_unix_ms: i64) {
        while let Some((stamp, bytes)) = self.memory.front().cloned() {
            if let Err(error) = self.write(stamp, &bytes) {
                tracing::debug!("the spool still cannot be written: {error}");
                self.retry_disk_unix_ms = now_unix_ms.saturating_add(DISK_RETRY_MS);
                return;
            }
            self.memory.pop();
        }
        if self.folder.is_some() {
            tracing::info!("the spool can be written again");
            self.problem = None;
            self.position.complete = true;
            self.save_drops();
            self.save_position(true);
        }
    }

    pub(super) fn keep_limits(&mut self, now_unix_ms: i64) {
        let age_max = i64::try_from(self.limits.age_max.as_millis()).unwrap_or(i64::MAX);
        let oldest_kept = now_unix_ms.saturating_sub(age_max);
        loop {
            let bytes: u64 = self.on_disk().map(Segment::bytes_on_disk).sum();
            let Some(oldest) = self.segments.front() else {
                return;
            };
            let reason = if bytes > self.limits.bytes_max {
                DropReason::SpoolFull
            } else if oldest.last.time_unix_ms < oldest_kept {
                DropReason::TooOld
            } else {
                return;
            };
            // Noted before it is removed: a crash between leaves both, and a sample that is there is no loss.
            let oldest = oldest.clone();
            self.lose((oldest.first, oldest.last), reason);
            self.segments.pop_front();
            oldest.remove();
        }
    }

    pub(super) fn lose(&mut self, (first, last): (Stamp, Stamp), reason: DropReason) {
        let first_seq = first.seq.max(self.position.acknowledged + 1);
        if first_seq <= last.seq {
            let times = (first.time_unix_ms, last.time_unix_ms);
            self.drops.add(dropped((first_seq, last.seq), times, reason));
            self.save_drops();
        }
    }

    pub(super) fn remove_acknowledged(&mut self) {
        while let Some(oldest) = self.segments.front()
            && oldest.last.seq <= self.position.acknowledged
        {
            oldest.remove();
            self.segments.pop_front();
        }
    }

    pub(super) fn save_drops(&self) {
        if let Some(folder) = &self.folder
            && let Err(error) = self.drops.write(&folder.path)
        {
            tracing::debug!("losses could not be noted on disk: {error}");
        }
    }

    pub(super) fn save_position(&mut self, durably: bool) {
        if let Some(folder) = &mut self.folder
            && let Err(error) = folder.position_file.write(&self.position, durably)
        {
            tracing::debug!("the position could not be noted on disk: {error}");
        }
    }

    /// While samples wait in memory, the position on disk still says how far the numbering went: it is overwritten
    /// in place, which a full disk allows.
    pub(super) fn reserve_in_memory(&mut self) {
        if self.next_seq + RESERVED_AHEAD / 2 > self.position.reserved_through {
            self.position.reserved_through = self.next_seq + RESERVED_AHEAD;
            self.save_position(true);
        }
    }
}
