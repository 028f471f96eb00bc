//! How fast the past is replayed: a bucket of tokens.

use std::time::{Duration, Instant};

/// Replayed samples a second when the server does not say.
const SAMPLES_PER_SECOND_DEFAULT: u32 = 500;

/// Shortest time between two replayed batches: the live sample of a second goes out between them.
const BATCH_EVERY: Duration = Duration::from_millis(100);

/// Allows so many samples a second, in batches.
#[derive(Debug, Clone)]
pub struct Pace {
    per_second: f64,
    batch_max: usize,
    next_at: Instant,
}

impl Pace {
    /// From what the server wants; 0 means that it does not say. `batch_max` is at least 1.
    pub fn new(samples_per_second: u32, batch_max: usize, now: Instant) -> Self {
        let per_second = match samples_per_second {
            0 => SAMPLES_PER_SECOND_DEFAULT,
            given => given,
        };
        Self {
            per_second: f64::from(per_second),
            batch_max: batch_max.max(1),
            next_at: now,
        }
    }

    /// Samples that the next batch may hold: a tenth of a second's worth, so that the pace is even.
    pub fn batch(&self) -> usize {
        let tenth = Duration::from_secs_f64(self.per_second * BATCH_EVERY.as_secs_f64()).as_secs();
        usize::try_from(tenth)
            .unwrap_or(usize::MAX)
            .clamp(1, self.batch_max)
    }

    /// When the next batch may go.
    pub fn next_at(&self) -> Instant {
        self.next_at
    }

    /// Notes a batch that went.
    pub fn sent(&mut self, samples: usize, now: Instant) {
        let samples = u32::try_from(samples).unwrap_or(u32::MAX);
        let cost = Duration::from_secs_f64(f64::from(samples) / self.per_second);
        self.next_at = now + cost;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_goes_at_the_pace_that_the_server_wants() {
        let start = Instant::now();
        let mut pace = Pace::new(1000, 100, start);
        let mut left = 86_400;
        while left > 0 {
            let batch = pace.batch().min(left);
            pace.sent(batch, pace.next_at());
            left -= batch;
        }
        let seconds = pace.next_at().duration_since(start).as_secs_f64();
        assert!((86.0..87.0).contains(&seconds), "{seconds}");
    }

    #[test]
    fn a_slow_pace_still_moves() {
        let pace = Pace::new(3, 100, Instant::now());
        assert_eq!(pace.batch(), 1);
    }
}
