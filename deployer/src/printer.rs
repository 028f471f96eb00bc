//! The one place that writes to the terminal: data to stdout, everything said to a person to stderr.

use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use crate::error::Failure;

/// Writes for a command. Cheap to share between tasks; lines of different tasks do not mix.
pub struct Printer {
    out: Mutex<Box<dyn Write + Send>>,
    err: Mutex<Box<dyn Write + Send>>,
    quiet: bool,
}

impl Printer {
    /// Writes to the process's own stdout and stderr.
    #[must_use]
    pub fn standard(quiet: bool) -> Self {
        Self::to(Box::new(io::stdout()), Box::new(io::stderr()), quiet)
    }

    /// Writes to the given places, as tests do.
    #[must_use]
    pub fn to(out: Box<dyn Write + Send>, err: Box<dyn Write + Send>, quiet: bool) -> Self {
        Self {
            out: Mutex::new(out),
            err: Mutex::new(err),
            quiet,
        }
    }

    /// A line of data. A reader that has gone away (`| head`) is no error.
    pub fn data(&self, line: &str) {
        write_line(&self.out, line);
    }

    /// Bytes of data as they are.
    pub fn raw(&self, bytes: &[u8]) {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = out.write_all(bytes).and_then(|()| out.flush());
    }

    /// A line for the person at the terminal; `--quiet` leaves it out.
    pub fn say(&self, line: &str) {
        if !self.quiet {
            write_line(&self.err, line);
        }
    }

    /// A line that even `--quiet` does not hold back.
    pub fn note(&self, line: &str) {
        write_line(&self.err, line);
    }

    /// Whether `--quiet` was given.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Why the command failed.
    pub fn failure(&self, failure: &Failure) {
        self.note(&failure.to_string());
    }
}

fn write_line(to: &Mutex<Box<dyn Write + Send>>, line: &str) {
    let mut to = to.lock().unwrap_or_else(PoisonError::into_inner);
    // There is nowhere left to report a closed terminal to.
    let _ = writeln!(to, "{line}").and_then(|()| to.flush());
}
