//! Answers that a person waits for: while one is being made, the runtime's threads do not rest between its steps.

use std::{
    sync::{
        LazyLock,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

/// How long after an answer the next question is expected: a page asks many, one after the other.
const NEXT_QUESTION: Duration = Duration::from_millis(50);

/// Answers that are being made, in the whole process: its threads serve all of them.
static UNDER_WAY: AtomicUsize = AtomicUsize::new(0);

/// When the last one was done, in milliseconds after [`BEGAN`]; 0 before the first.
static DONE_MS: AtomicU64 = AtomicU64::new(0);
static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Held while an answer is being made.
#[derive(Debug)]
pub(crate) struct Urgent(());

impl Urgent {
    pub(crate) fn begin() -> Self {
        UNDER_WAY.fetch_add(1, Ordering::Relaxed);
        Self(())
    }
}

impl Drop for Urgent {
    fn drop(&mut self) {
        DONE_MS.store(elapsed_ms(), Ordering::Relaxed);
        UNDER_WAY.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Whether somebody waits for an answer, or is about to ask the next question.
pub fn is_anyone_waiting() -> bool {
    if UNDER_WAY.load(Ordering::Relaxed) > 0 {
        return true;
    }
    let done = DONE_MS.load(Ordering::Relaxed);
    done > 0 && elapsed_ms().saturating_sub(done) < NEXT_QUESTION.as_millis() as u64
}

fn elapsed_ms() -> u64 {
    // Never 0, which means that there was no answer yet.
    u64::try_from(BEGAN.elapsed().as_millis())
        .unwrap_or(u64::MAX)
        .saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_waits_while_an_answer_is_made() {
        let urgent = Urgent::begin();
        assert!(is_anyone_waiting());
        drop(urgent);
    }
}
