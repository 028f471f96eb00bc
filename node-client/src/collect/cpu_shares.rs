//! From two readings of processor time to the share of each mode.

use super::fields::{fields, number};

/// Time that processors spent in each mode since boot, in the kernel's ticks.
///
/// The order is that of a `cpu` line of `/proc/stat` (proc_stat(5)). Guest time is left out: the kernel counts it
/// in `user` and `nice` already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct CpuTimes {
    pub(super) user: u64,
    pub(super) nice: u64,
    pub(super) system: u64,
    pub(super) idle: u64,
    pub(super) iowait: u64,
    pub(super) irq: u64,
    pub(super) softirq: u64,
    pub(super) steal: u64,
}

/// Share of each mode, 0 to 100.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct CpuShares {
    pub(super) used: f32,
    pub(super) user: f32,
    pub(super) system: f32,
    pub(super) iowait: f32,
    pub(super) steal: f32,
}

/// What two readings say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Change {
    /// No tick passed between them.
    Nothing,
    /// The counters began anew: the processor was plugged out and in, or the machine was restored.
    Reset,
    /// So much went to each mode.
    Shares(CpuShares),
}

impl CpuTimes {
    /// Reads the numbers of a `cpu` line. Old kernels have fewer columns; what they lack is 0.
    pub(super) fn parse(line: &[u8]) -> Option<Self> {
        let mut columns = fields(line).skip(1).map(number::<u64>);
        let mut required = || columns.next().flatten();
        let (user, nice, system, idle) = (required()?, required()?, required()?, required()?);
        let mut later = || columns.next().flatten().unwrap_or(0);
        Some(Self {
            user,
            nice,
            system,
            idle,
            iowait: later(),
            irq: later(),
            softirq: later(),
            steal: later(),
        })
    }

    fn busy(&self) -> u64 {
        [
            self.user,
            self.nice,
            self.system,
            self.irq,
            self.softirq,
            self.steal,
        ]
        .iter()
        .fold(0, |sum, part| sum.saturating_add(*part))
    }

    /// What happened from `before` to `self`.
    ///
    /// `idle` and `iowait` may go back a little on a live system (the kernel corrects them when a processor leaves
    /// its idle state), so a mode that goes back counts as no time. Busy time that goes back is a reset.
    pub(super) fn since(&self, before: &Self) -> Change {
        if self.busy() < before.busy() {
            return Change::Reset;
        }
        let passed = |now: u64, then: u64| now.saturating_sub(then) as f64;
        let user = passed(self.user, before.user) + passed(self.nice, before.nice);
        let system = passed(self.system, before.system)
            + passed(self.irq, before.irq)
            + passed(self.softirq, before.softirq);
        let steal = passed(self.steal, before.steal);
        let iowait = passed(self.iowait, before.iowait);
        let used = user + system + steal;
        let total = used + iowait + passed(self.idle, before.idle);
        if total <= 0.0 {
            return Change::Nothing;
        }
        let percent = |part: f64| hundredths(part * 100.0 / total);
        Change::Shares(CpuShares {
            used: percent(used),
            user: percent(user),
            system: percent(system),
            iowait: percent(iowait),
            steal: percent(steal),
        })
    }
}

/// Rounds to two decimals: more is noise at 100 ticks a second, and round numbers compress well.
pub(super) fn hundredths(value: f64) -> f32 {
    ((value * 100.0).round() / 100.0) as f32
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "a test fails by panicking")]

    use proptest::prelude::*;

    use super::*;

    fn times(line: &str) -> CpuTimes {
        CpuTimes::parse(line.as_bytes()).expect("a cpu line")
    }

    #[test]
    fn shares_are_of_the_time_that_passed() {
        let before = times("cpu 100 0 50 800 50 0 0 0 0 0");
        let after = times("cpu 120 10 60 840 60 5 5 10 0 0");
        let Change::Shares(shares) = after.since(&before) else {
            unreachable!("time passed")
        };
        assert_eq!(shares.user, 27.27);
        assert_eq!(shares.system, 18.18);
        assert_eq!(shares.iowait, 9.09);
        assert_eq!(shares.steal, 9.09);
        assert_eq!(shares.used, 54.55);
    }

    #[test]
    fn iowait_that_goes_back_counts_as_none() {
        let after = times("cpu 60 0 0 40 90 0 0 0");
        let before = times("cpu 10 0 0 0 100 0 0 0");
        let Change::Shares(shares) = after.since(&before) else {
            unreachable!("time passed")
        };
        assert_eq!((shares.used, shares.iowait), (55.56, 0.0));
    }

    #[test]
    fn counters_that_begin_anew_give_no_shares() {
        let before = times("cpu 1000 0 500 8000 50 0 0 0");
        assert_eq!(times("cpu 3 0 1 20 0 0 0 0").since(&before), Change::Reset);
        assert_eq!(before.since(&before), Change::Nothing);
    }

    #[test]
    fn the_four_columns_of_an_old_kernel_are_enough() {
        assert_eq!(
            times("cpu0 1 2 3 4"),
            CpuTimes {
                user: 1,
                nice: 2,
                system: 3,
                idle: 4,
                ..CpuTimes::default()
            }
        );
        assert_eq!(CpuTimes::parse(b"cpu0 1 2 3"), None);
        assert_eq!(CpuTimes::parse(b"cpu0 1 2 x 4"), None);
    }

    fn any_times() -> impl Strategy<Value = CpuTimes> {
        any::<[u64; 8]>().prop_map(
            |[user, nice, system, idle, iowait, irq, softirq, steal]| CpuTimes {
                user,
                nice,
                system,
                idle,
                iowait,
                irq,
                softirq,
                steal,
            },
        )
    }

    proptest! {
        #[test]
        fn shares_stay_within_the_whole(before in any_times(), after in any_times()) {
            if let Change::Shares(shares) = after.since(&before) {
                for share in [shares.used, shares.user, shares.system, shares.iowait, shares.steal] {
                    prop_assert!((0.0..=100.0).contains(&share), "{shares:?}");
                }
            }
        }

        #[test]
        fn no_line_panics(line in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = CpuTimes::parse(&line);
        }
    }
}
