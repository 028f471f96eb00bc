//! A task that reports its own start and end.

use std::{borrow::Cow, time::Instant};

use super::{Event, Progress, Unit};

/// A piece of work in progress. One that is dropped without a word is reported as failed: it was cut short.
pub struct Task<'a> {
    progress: &'a dyn Progress,
    name: Cow<'a, str>,
    total: Option<u64>,
    unit: Unit,
    since: Instant,
    open: bool,
}

impl<'a> Task<'a> {
    /// Begins a task of unknown length.
    pub fn start(progress: &'a dyn Progress, name: impl Into<Cow<'a, str>>, doing: &str) -> Self {
        Self::counted(progress, name, doing, None, Unit::Items)
    }

    /// Begins a task whose progress is counted.
    pub fn counted(
        progress: &'a dyn Progress,
        name: impl Into<Cow<'a, str>>,
        doing: &str,
        total: Option<u64>,
        unit: Unit,
    ) -> Self {
        let name = name.into();
        progress.report(Event::Started {
            task: &name,
            doing,
            total,
            unit,
        });
        Self {
            progress,
            name,
            total,
            unit,
            since: Instant::now(),
            open: true,
        }
    }

    /// Says what is being done now.
    pub fn doing(&self, doing: &str) {
        self.progress.report(Event::Doing {
            task: &self.name,
            doing,
        });
    }

    /// Says how much is done so far.
    pub fn advance(&self, done: u64) {
        self.progress.report(Event::Advanced {
            task: &self.name,
            done,
            total: self.total,
            unit: self.unit,
        });
    }

    /// Ends the task well.
    pub fn done(mut self, result: &str) {
        self.open = false;
        self.progress.report(Event::Finished {
            task: &self.name,
            result,
            seconds: self.since.elapsed().as_secs_f64(),
        });
    }

    /// Ends the task badly.
    pub fn failed(mut self, reason: &str) {
        self.open = false;
        self.fail(reason);
    }

    fn fail(&self, reason: &str) {
        self.progress.report(Event::Failed {
            task: &self.name,
            reason,
            seconds: self.since.elapsed().as_secs_f64(),
        });
    }
}

impl Drop for Task<'_> {
    fn drop(&mut self) {
        if self.open {
            self.fail("not finished");
        }
    }
}
