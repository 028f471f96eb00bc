//! Bars on a terminal: a line per task, each with its own clock.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::{Event, Progress, Unit, plain};

/// How often a spinner turns: fast enough to look alive, slow enough for a remote terminal.
const TURN: Duration = Duration::from_millis(120);
const SPINNER: &str = "{prefix:16!} {spinner} {wide_msg} {elapsed}";
const ITEMS: &str = "{prefix:16!} {bar:24} {pos}/{len} {wide_msg} {elapsed}";
const BYTES: &str = "{prefix:16!} {bar:24} {bytes}/{total_bytes} {binary_bytes_per_sec} {wide_msg} {eta}";

/// One bar for each open task, with the lines of finished ones above.
#[derive(Default)]
pub struct Bars {
    all: MultiProgress,
    open: Mutex<HashMap<String, ProgressBar>>,
}

impl Bars {
    /// Draws on stderr.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn begin(&self, task: &str, doing: &str, total: Option<u64>, unit: Unit) {
        let bar = self
            .all
            .add(total.map_or_else(ProgressBar::new_spinner, ProgressBar::new));
        let template = match (total, unit) {
            (None, _) => SPINNER,
            (Some(_), Unit::Items) => ITEMS,
            (Some(_), Unit::Bytes) => BYTES,
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_prefix(task.to_owned());
        bar.set_message(doing.to_owned());
        bar.enable_steady_tick(TURN);
        let before = self.lock().insert(task.to_owned(), bar);
        if let Some(before) = before {
            before.finish_and_clear();
        }
    }

    fn end(&self, task: &str, event: Event<'_>) {
        if let Some(bar) = self.lock().remove(task) {
            bar.finish_and_clear();
            self.all.remove(&bar);
        }
        self.print(event);
    }

    fn print(&self, event: Event<'_>) {
        if let Some(line) = plain::line(event) {
            // Nobody is left to tell when the terminal is gone.
            let _ = self.all.println(line);
        }
    }

    fn with(&self, task: &str, change: impl FnOnce(&ProgressBar)) {
        if let Some(bar) = self.lock().get(task) {
            change(bar);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, ProgressBar>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Progress for Bars {
    fn report(&self, event: Event<'_>) {
        match event {
            Event::Started {
                task,
                doing,
                total,
                unit,
            } => self.begin(task, doing, total, unit),
            Event::Doing { task, doing } => self.with(task, |bar| bar.set_message(doing.to_owned())),
            Event::Advanced { task, done, .. } => self.with(task, |bar| bar.set_position(done)),
            Event::Finished { task, .. } | Event::Failed { task, .. } => self.end(task, event),
            Event::Shipped { .. } | Event::Note { .. } | Event::Warning { .. } => self.print(event),
        }
    }
}
