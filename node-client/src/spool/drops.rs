//! What was lost and why, until the server knows.

use std::{fs, io, path::Path};

use metric_flow_protocol::node::{DropReason, Dropped};

/// Name of the file.
const FILE: &str = "dropped.json";

/// Most ranges that are kept. Losses come from the old end of the spool, so that neighbours merge and few remain;
/// beyond this the two oldest become one range that names both.
const RANGES_MAX: usize = 128;

/// Ranges of lost samples, ascending, not overlapping.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DropLedger {
    ranges: Vec<Dropped>,
    changes: u64,
    total: u64,
}

impl DropLedger {
    /// What the folder says is still to be reported; a damaged file counts as none.
    pub(super) fn read(folder: &Path) -> Self {
        let ranges: Vec<Dropped> = fs::read(folder.join(FILE))
            .ok()
            .and_then(|text| serde_json::from_slice(&text).ok())
            .unwrap_or_default();
        let mut ledger = Self::default();
        for range in ranges {
            ledger.add(range);
        }
        ledger.total = 0;
        ledger
    }

    /// Writes it so that a reader sees the old or the new one.
    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        let fresh = folder.join(".dropped.json.new");
        fs::write(&fresh, serde_json::to_vec(&self.ranges)?)?;
        fs::rename(&fresh, folder.join(FILE))
    }

    /// Notes a loss. What is in it already stays as it is.
    pub fn add(&mut self, dropped: Dropped) {
        for (first_seq, last_seq) in self.missing_from(dropped.first_seq, dropped.last_seq) {
            let part = Dropped {
                first_seq,
                last_seq,
                ..dropped
            };
            self.total += last_seq - first_seq + 1;
            self.changes += 1;
            let at = self.ranges.partition_point(|range| range.last_seq < first_seq);
            self.ranges.insert(at, part);
        }
        self.merge();
    }

    /// Forgets what the server knows: all up to `seq`.
    pub fn forget_through(&mut self, seq: u64) -> bool {
        let before = self.ranges.len();
        self.ranges.retain(|range| range.last_seq > seq);
        before != self.ranges.len()
    }

    /// What the server does not know yet.
    pub fn ranges(&self) -> &[Dropped] {
        &self.ranges
    }

    /// Grows with each loss: tells a sender that there is something new to report.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// Samples lost since this program started.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Samples that the server does not know as lost yet.
    pub fn unreported(&self) -> u64 {
        self.ranges
            .iter()
            .map(|range| range.last_seq - range.first_seq + 1)
            .sum()
    }

    /// Whether a sample is known as lost.
    pub fn contains(&self, seq: u64) -> bool {
        self.ranges
            .iter()
            .any(|range| (range.first_seq..=range.last_seq).contains(&seq))
    }

    /// The parts of a range that are not in the ledger.
    fn missing_from(&self, first: u64, last: u64) -> Vec<(u64, u64)> {
        let mut missing = Vec::new();
        let mut next = first;
        for range in &self.ranges {
            if range.last_seq < next || range.first_seq > last {
                continue;
            }
            if range.first_seq > next {
                missing.push((next, range.first_seq - 1));
            }
            next = range.last_seq + 1;
        }
        if next <= last {
            missing.push((next, last));
        }
        missing
    }

    fn merge(&mut self) {
        self.ranges.dedup_by(|later, earlier| {
            let adjacent = earlier.last_seq + 1 == later.first_seq && earlier.reason == later.reason;
            if adjacent {
                join(earlier, later);
            }
            adjacent
        });
        while self.ranges.len() > RANGES_MAX {
            let later = self.ranges.remove(1);
            join(&mut self.ranges[0], &later);
        }
    }
}

fn join(earlier: &mut Dropped, later: &Dropped) {
    earlier.last_seq = later.last_seq;
    earlier.from_unix_ms = earlier.from_unix_ms.min(later.from_unix_ms);
    earlier.to_unix_ms = earlier.to_unix_ms.max(later.to_unix_ms);
}

/// A loss.
pub(super) fn dropped(seqs: (u64, u64), times_unix_ms: (i64, i64), reason: DropReason) -> Dropped {
    Dropped {
        first_seq: seqs.0,
        last_seq: seqs.1,
        from_unix_ms: times_unix_ms.0,
        to_unix_ms: times_unix_ms.1.max(times_unix_ms.0),
        reason: reason.into(),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "a test fails by panicking")]

    use super::*;

    fn loss(first: u64, last: u64) -> Dropped {
        dropped((first, last), (0, 10), DropReason::SpoolFull)
    }

    #[test]
    fn neighbours_merge_and_nothing_counts_twice() {
        let mut ledger = DropLedger::default();
        ledger.add(loss(1, 10));
        ledger.add(loss(5, 20));
        ledger.add(loss(21, 30));
        assert_eq!(ledger.ranges(), [loss(1, 30)]);
        assert_eq!(ledger.total(), 30);
        assert!(ledger.contains(30) && !ledger.contains(31));
    }

    #[test]
    fn causes_are_kept_apart() {
        let mut ledger = DropLedger::default();
        ledger.add(loss(1, 10));
        ledger.add(dropped((11, 12), (0, 0), DropReason::DiskFailed));
        assert_eq!(ledger.ranges().len(), 2);
    }

    #[test]
    fn what_is_acknowledged_is_forgotten_and_the_rest_survives_a_restart() {
        let folder = tempfile::tempdir().expect("temp folder");
        let mut ledger = DropLedger::default();
        ledger.add(loss(1, 10));
        ledger.add(loss(20, 30));
        assert!(ledger.forget_through(15));
        ledger.write(folder.path()).expect("write");
        assert_eq!(DropLedger::read(folder.path()).ranges(), [loss(20, 30)]);
        fs::write(folder.path().join(FILE), "{").expect("write");
        assert_eq!(DropLedger::read(folder.path()).ranges(), []);
    }

    #[test]
    fn the_ledger_is_bounded() {
        let mut ledger = DropLedger::default();
        for index in 0..1000 {
            ledger.add(loss(index * 10 + 1, index * 10 + 2));
        }
        assert_eq!(ledger.ranges().len(), RANGES_MAX);
    }
}
