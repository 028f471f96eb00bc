//! The one way to the terminal: standard output is for data, standard error for trouble.

use std::io::{self, Write};

/// Writes lines.
#[derive(Debug, Default)]
pub(crate) struct Printer;

impl Printer {
    /// A line of data.
    pub(crate) fn line(&mut self, text: &str) {
        // A reader that has gone away is no reason to end.
        let _ = writeln!(io::stdout().lock(), "{text}").and_then(|()| io::stdout().flush());
    }

    /// A line of trouble.
    pub(crate) fn trouble(&mut self, text: &str) {
        let _ = writeln!(io::stderr().lock(), "{text}");
    }

    /// Standard output itself, for what writes more than lines.
    pub(crate) fn data(&mut self) -> io::StdoutLock<'static> {
        io::stdout().lock()
    }
}
