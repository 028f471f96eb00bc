//! What is still to be sent over one connection: the newest live, the rest replayed.

/// Most separate stretches that wait for their replay; beyond it the last two become one, and what lies between is
/// sent twice, which the server does not mind.
const STRETCHES_MAX: usize = 16;

/// Numbers that wait for their replay, and how far the live samples are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outgoing {
    /// Closed ranges, ascending.
    replay: Vec<(u64, u64)>,
    live_through: u64,
    acknowledged: u64,
}

impl Outgoing {
    /// At the start of a connection: the server holds all up to `durable`, the spool has all up to `last`.
    pub fn new(durable: u64, last: u64) -> Self {
        let mut outgoing = Self {
            replay: Vec::new(),
            live_through: last.max(durable),
            acknowledged: durable,
        };
        outgoing.add(durable + 1, last);
        outgoing
    }

    /// A live sample is there. Whether it is to be sent now: not when it is on its way already.
    pub fn live(&mut self, seq: u64) -> bool {
        if seq <= self.live_through {
            return false;
        }
        self.add(self.live_through + 1, seq - 1);
        self.live_through = seq;
        true
    }

    /// The next stretch to replay: first and last number.
    pub fn next_replay(&self) -> Option<(u64, u64)> {
        self.replay.first().copied()
    }

    /// All up to `seq` of the next stretch has been sent.
    pub fn replayed(&mut self, seq: u64) {
        if let Some((first, last)) = self.replay.first_mut() {
            if seq >= *last {
                self.replay.remove(0);
            } else {
                *first = (*first).max(seq + 1);
            }
        }
    }

    /// The server holds all up to `seq`.
    pub fn acknowledge(&mut self, seq: u64) {
        self.acknowledged = self.acknowledged.max(seq);
        while self.replay.first().is_some_and(|(_, last)| *last <= seq) {
            self.replay.remove(0);
        }
        if let Some((first, _)) = self.replay.first_mut() {
            *first = (*first).max(seq + 1);
        }
    }

    /// Whether something was sent that the server has not acknowledged.
    pub fn is_unsettled(&self) -> bool {
        self.live_through > self.acknowledged
    }

    /// The newest number that has been sent live.
    pub fn live_through(&self) -> u64 {
        self.live_through
    }

    /// The server is silent about what it has: all of it goes again.
    pub fn send_again(&mut self) {
        self.replay.clear();
        self.add(self.acknowledged + 1, self.live_through);
    }

    fn add(&mut self, first: u64, last: u64) {
        if first > last {
            return;
        }
        if self.replay.len() == STRETCHES_MAX
            && let Some(end) = self.replay.last_mut()
        {
            end.1 = last;
        } else {
            self.replay.push((first, last));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_backlog_waits_while_live_samples_pass() {
        let mut outgoing = Outgoing::new(10, 500);
        assert!(outgoing.live(501));
        assert_eq!(outgoing.next_replay(), Some((11, 500)));
        outgoing.replayed(110);
        assert_eq!(outgoing.next_replay(), Some((111, 500)));
        assert!(outgoing.live(502));
        outgoing.replayed(500);
        assert_eq!(outgoing.next_replay(), None);
    }

    #[test]
    fn a_live_sample_that_was_skipped_is_replayed() {
        let mut outgoing = Outgoing::new(0, 0);
        assert!(outgoing.live(1) && outgoing.live(4) && !outgoing.live(4));
        assert_eq!(outgoing.next_replay(), Some((2, 3)));
    }

    #[test]
    fn silence_sends_everything_again() {
        let mut outgoing = Outgoing::new(0, 20);
        outgoing.replayed(20);
        outgoing.acknowledge(5);
        assert!(outgoing.is_unsettled());
        outgoing.send_again();
        assert_eq!(outgoing.next_replay(), Some((6, 20)));
    }

    proptest! {
        #[test]
        fn every_number_is_sent(durable in 0_u64..50, backlog in 0_u64..50, skips in proptest::collection::vec(1_u64..5, 0..60)) {
            let last = durable + backlog;
            let mut outgoing = Outgoing::new(durable, last);
            let mut sent = BTreeSet::new();
            let mut seq = last;
            for skip in skips {
                seq += skip;
                if outgoing.live(seq) {
                    sent.insert(seq);
                }
                if let Some((first, through)) = outgoing.next_replay() {
                    let through = through.min(first + 2);
                    sent.extend(first..=through);
                    outgoing.replayed(through);
                }
            }
            while let Some((first, through)) = outgoing.next_replay() {
                sent.extend(first..=through);
                outgoing.replayed(through);
            }
            prop_assert_eq!(sent, (durable + 1..=seq).collect::<BTreeSet<_>>());
        }
    }
}
