//! When to sample: on the second of the wall clock, whatever that does.

use std::time::Duration;

/// Decides which instants are sampled. Times are milliseconds since 1970-01-01 UTC.
#[derive(Debug, Clone, Default)]
pub struct Ticks {
    last: Option<i64>,
}

impl Ticks {
    /// Whether a sample is due at `now`: none has been taken in this interval. A clock that was set back starts
    /// anew; after a suspend or a jump forward there is one sample, not one for each interval that passed.
    pub fn is_due(&mut self, now_unix_ms: i64, interval: Duration) -> bool {
        let slot = now_unix_ms.div_euclid(millis(interval));
        let due = self.last != Some(slot);
        if due {
            self.last = Some(slot);
        }
        due
    }
}

/// How long it is from `now` to the next whole interval of the wall clock.
pub fn wait_until_next(now_unix_ms: i64, interval: Duration) -> Duration {
    let interval = millis(interval);
    let left = interval - now_unix_ms.rem_euclid(interval);
    Duration::from_millis(left.unsigned_abs())
}

fn millis(interval: Duration) -> i64 {
    i64::try_from(interval.as_millis()).unwrap_or(i64::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn samples_are_on_the_second() {
        assert_eq!(wait_until_next(10_250, SECOND), Duration::from_millis(750));
        assert_eq!(wait_until_next(11_000, SECOND), SECOND);
        assert_eq!(wait_until_next(-250, SECOND), Duration::from_millis(250));
    }

    #[test]
    fn one_sample_a_second_and_one_after_a_jump() {
        let mut ticks = Ticks::default();
        let due: Vec<bool> = [1000, 1999, 2000, 9_000_000, 9_000_001, 500, 999]
            .into_iter()
            .map(|now| ticks.is_due(now, SECOND))
            .collect();
        assert_eq!(due, [true, false, true, true, false, true, false]);
    }

    proptest! {
        #[test]
        fn a_clock_that_moves_forward_gives_each_second_once(steps in proptest::collection::vec(0_i64..3000, 1..200)) {
            let mut ticks = Ticks::default();
            let mut now = 1_700_000_000_000_i64;
            let mut seconds = Vec::new();
            for step in steps {
                now += step;
                if ticks.is_due(now, SECOND) {
                    seconds.push(now / 1000);
                }
            }
            prop_assert!(seconds.windows(2).all(|pair| pair[0] < pair[1]));
        }
    }
}
