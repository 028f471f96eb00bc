//! One JSON object per line, for programs that watch.

use std::{
    io::Write,
    sync::{Mutex, PoisonError},
};

use super::{Event, Progress};

/// Writes each event as one line of JSON, as it happens.
pub struct JsonLines {
    out: Mutex<Box<dyn Write + Send>>,
}

impl JsonLines {
    /// Writes to `out`.
    #[must_use]
    pub fn new(out: Box<dyn Write + Send>) -> Self {
        Self { out: Mutex::new(out) }
    }
}

impl Progress for JsonLines {
    fn report(&self, event: Event<'_>) {
        if let Ok(line) = serde_json::to_string(&event) {
            let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
            // Nobody is left to tell when the reader is gone.
            let _ = writeln!(out, "{line}").and_then(|()| out.flush());
        }
    }
}
