//! Samples that wait in memory while the disk cannot be written.

use std::collections::VecDeque;

use super::record::Stamp;

/// Encoded samples, ascending by `seq`, bounded in bytes.
#[derive(Debug, Default)]
pub(super) struct MemoryQueue {
    samples: VecDeque<(Stamp, Vec<u8>)>,
    bytes: u64,
}

impl MemoryQueue {
    /// Adds a record; what has to go for it, oldest first, is returned.
    pub(super) fn push(&mut self, stamp: Stamp, record: Vec<u8>, bytes_max: u64) -> Vec<Stamp> {
        self.bytes += record.len() as u64;
        self.samples.push_back((stamp, record));
        let mut lost = Vec::new();
        while self.bytes > bytes_max && self.samples.len() > 1 {
            lost.extend(self.pop().map(|(stamp, _)| stamp));
        }
        lost
    }

    /// Takes the oldest.
    pub(super) fn pop(&mut self) -> Option<(Stamp, Vec<u8>)> {
        let oldest = self.samples.pop_front()?;
        self.bytes -= oldest.1.len() as u64;
        Some(oldest)
    }

    /// Forgets all up to `seq`.
    pub(super) fn forget_through(&mut self, seq: u64) {
        while self.samples.front().is_some_and(|(stamp, _)| stamp.seq <= seq) {
            self.pop();
        }
    }

    /// All of them, oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &(Stamp, Vec<u8>)> {
        self.samples.iter()
    }

    /// The oldest.
    pub(super) fn front(&self) -> Option<&(Stamp, Vec<u8>)> {
        self.samples.front()
    }

    /// How many.
    pub(super) fn len(&self) -> u64 {
        self.samples.len() as u64
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }
}
