//! When to try again.

use std::time::Duration;

use super::trouble::Retry;

/// First wait after a connection that was lost: a server that restarts is back soon.
const FIRST: Duration = Duration::from_millis(500);

/// Longest wait while trying again soon can help. A fleet of ten thousand then costs a dead server a few hundred
/// attempts a second.
const SOON_MAX: Duration = Duration::from_secs(30);

/// Wait after a refusal that a person has to resolve: a new key or certificate is found within minutes, and the
/// server's log is not flooded.
const SLOW: Duration = Duration::from_secs(120);

/// Grows with each failure in a row; jittered, so that a fleet does not come back in one instant.
#[derive(Debug, Clone, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// A connection has proved itself: the next failure is a first one.
    pub fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// How long to wait after one more failure; `jitter` is from 0 to 1. The wait is from half to the whole of a
    /// limit that doubles each time.
    pub fn failed(&mut self, retry: Retry, jitter: f64) -> Duration {
        let limit = match retry {
            Retry::Soon => FIRST.saturating_mul(1 << self.failures.min(16)).min(SOON_MAX),
            Retry::Slowly => SLOW,
        };
        self.failures = self.failures.saturating_add(1);
        limit.mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn waits_double_up_to_a_limit_and_start_again_after_success() {
        let mut backoff = Backoff::default();
        let waits: Vec<u128> = (0..9)
            .map(|_| backoff.failed(Retry::Soon, 1.0).as_millis())
            .collect();
        assert_eq!(
            waits,
            [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]
        );
        backoff.succeeded();
        assert_eq!(backoff.failed(Retry::Soon, 1.0), FIRST);
    }

    #[test]
    fn a_refusal_is_tried_again_slowly_from_the_first() {
        assert_eq!(Backoff::default().failed(Retry::Slowly, 0.0), SLOW / 2);
    }

    proptest! {
        #[test]
        fn a_wait_is_never_short_nor_endless(failures in 0_u32..100_000, jitter in 0.0_f64..=1.0) {
            let mut backoff = Backoff { failures };
            let wait = backoff.failed(Retry::Soon, jitter);
            prop_assert!(wait >= FIRST / 2 && wait <= SOON_MAX);
        }
    }
}
