//! The one place that writes to the terminal.

use std::{
    fmt::Display,
    io::{IsTerminal, Write, stderr, stdout},
};

/// Writes results to standard output and problems to standard error.
#[derive(Debug, Clone)]
pub(crate) struct Printer {
    colour: bool,
}

impl Printer {
    /// Uses colour only where a person is looking and has not asked for none.
    pub(crate) fn new() -> Self {
        Self {
            colour: stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
        }
    }

    /// One line of output. A reader that went away is no reason to stop a test run.
    pub(crate) fn line(&self, text: impl Display) {
        let mut out = stdout().lock();
        drop(writeln!(out, "{text}").and_then(|()| out.flush()));
    }

    /// Output of another program, as it is.
    pub(crate) fn raw(&self, bytes: &[u8]) {
        let mut out = stdout().lock();
        drop(out.write_all(bytes).and_then(|()| out.flush()));
    }

    /// A heading: bold where colour is on.
    pub(crate) fn heading(&self, text: impl Display) {
        if self.colour {
            self.line(format_args!("\u{1b}[1m{text}\u{1b}[0m"));
        } else {
            self.line(text);
        }
    }

    /// An error with its causes, each on a line.
    pub(crate) fn error(&self, error: &anyhow::Error) {
        let mut out = stderr().lock();
        drop(writeln!(out, "error: {error}"));
        for cause in error.chain().skip(1) {
            drop(writeln!(out, "  because: {cause}"));
        }
    }
}
