//! What is going on, told to whoever watches: bars on a terminal, plain lines in a log, JSON for a program.
//!
//! The work reports [`Event`]s through the [`Progress`] trait and does not know who listens. Only `bars` names
//! indicatif.

mod bars;
mod event;
mod json;
mod plain;
mod task;

use std::io::IsTerminal as _;

pub use bars::Bars;
pub use event::{Event, Unit, Way};
pub use json::JsonLines;
pub use plain::PlainLines;
pub use task::Task;

/// Who is told what is going on.
pub trait Progress: Send + Sync {
    /// Takes one event. It must not block: it is called from the work itself.
    fn report(&self, event: Event<'_>);
}

/// Tells nobody: for `--quiet` and for tests.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn report(&self, _: Event<'_>) {}
}

/// Bars where stderr is a terminal, else plain lines on stderr; nothing with `--quiet`.
#[must_use]
pub fn for_this_terminal(quiet: bool) -> Box<dyn Progress> {
    if quiet {
        Box::new(Silent)
    } else if std::io::stderr().is_terminal() {
        Box::new(Bars::new())
    } else {
        Box::new(PlainLines::new(Box::new(std::io::stderr())))
    }
}
