//! How much one connection may send: a token bucket. Pure.

use std::time::Instant;

/// A bucket that fills with time and is emptied by use.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bucket {
    per_second: f32,
    most: f32,
    left: f32,
    filled: Instant,
}

impl Bucket {
    /// A full bucket.
    pub(super) fn new(per_second: f32, most: f32, now: Instant) -> Self {
        Self {
            per_second,
            most,
            left: most,
            filled: now,
        }
    }

    /// Takes `amount` out; false when there is not enough.
    pub(super) fn take(&mut self, amount: f32, now: Instant) -> bool {
        let elapsed = now.saturating_duration_since(self.filled).as_secs_f32();
        self.left = (self.left + elapsed * self.per_second).min(self.most);
        self.filled = now;
        if self.left < amount {
            return false;
        }
        self.left -= amount;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_bucket_gives_what_it_holds_and_fills_again() {
        let now = Instant::now();
        let mut bucket = Bucket::new(2.0, 3.0, now);
        assert!(bucket.take(3.0, now));
        assert!(!bucket.take(1.0, now));
        assert!(bucket.take(1.0, now + Duration::from_secs(1)));
        assert!(!bucket.take(4.0, now + Duration::from_secs(100)));
    }
}
