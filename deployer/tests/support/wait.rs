//! Waiting for what becomes true by itself.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

/// How long something may take on a machine that is busy with other tests: far beyond what it needs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(300);

/// Looks again and again until there is something to see, and gives that back.
pub(crate) fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(
            Instant::now() < deadline,
            "not in {} s: {what}",
            PATIENCE.as_secs()
        );
        sleep(Duration::from_millis(200));
    }
}
