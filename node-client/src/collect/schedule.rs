//! Which readings are due: some things change too seldom, or cost too much, to be read each second.

use std::time::{Duration, Instant};

/// Says when something is due again.
#[derive(Debug)]
pub(super) struct Schedule {
    every: Duration,
    last: Option<Instant>,
}

impl Schedule {
    /// Due at once, then every `every`.
    pub(super) fn new(every: Duration) -> Self {
        Self { every, last: None }
    }

    /// Whether it is due; if so, the time counts from `now`.
    pub(super) fn is_due(&mut self, now: Instant) -> bool {
        let due = self
            .last
            .is_none_or(|last| now.saturating_duration_since(last) >= self.every);
        if due {
            self.last = Some(now);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn due_at_once_and_then_after_each_period() {
        let start = Instant::now();
        let mut schedule = Schedule::new(Duration::from_secs(10));
        assert!(schedule.is_due(start));
        assert!(!schedule.is_due(start + Duration::from_secs(9)));
        assert!(schedule.is_due(start + Duration::from_secs(10)));
        assert!(!schedule.is_due(start + Duration::from_secs(11)));
    }
}
