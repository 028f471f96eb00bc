//! Lines for a log: one for each start and end, none for what moves in between.

use std::{
    io::Write,
    sync::{Mutex, PoisonError},
};

use super::{Event, Progress, Way};

/// Writes one line per event that matters later.
pub struct PlainLines {
    out: Mutex<Box<dyn Write + Send>>,
}

impl PlainLines {
    /// Writes to `out`.
    #[must_use]
    pub fn new(out: Box<dyn Write + Send>) -> Self {
        Self { out: Mutex::new(out) }
    }
}

impl Progress for PlainLines {
    fn report(&self, event: Event<'_>) {
        if let Some(line) = line(event) {
            let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
            // Nobody is left to tell when the terminal is gone.
            let _ = writeln!(out, "{line}").and_then(|()| out.flush());
        }
    }
}

/// The line of an event, for those that have one.
pub(super) fn line(event: Event<'_>) -> Option<String> {
    Some(match event {
        Event::Started { task, doing, .. } | Event::Doing { task, doing } => format!("{task}: {doing}"),
        Event::Advanced { .. } => return None,
        Event::Shipped {
            task,
            image,
            sent_bytes,
            image_bytes,
            way,
        } => shipped(task, image, (sent_bytes, image_bytes), way),
        Event::Finished {
            task,
            result,
            seconds,
        } => format!("{task}: {result} ({seconds:.1} s)"),
        Event::Failed {
            task,
            reason,
            seconds,
        } => format!("{task}: failed after {seconds:.1} s: {reason}"),
        Event::Note { message } => message.to_owned(),
        Event::Warning { message } => format!("warning: {message}"),
    })
}

fn shipped(task: &str, image: &str, (sent, whole): (u64, u64), way: &Way) -> String {
    let megabytes = |bytes: u64| bytes as f64 / 1e6;
    let (sent, whole) = (megabytes(sent), megabytes(whole));
    match way {
        Way::Layers => format!("{task}: sent {sent:.1} of {whole:.1} MB of {image}"),
        Way::Whole { reason } => format!("{task}: sent {image} as a whole, {sent:.1} MB: {reason}"),
        Way::Registry => format!("{task}: pulled {image} from the registry"),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "a test fails by panicking")]

    use std::{io, sync::Arc};

    use super::*;
    use crate::progress::{JsonLines, Task};

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("the buffer").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Shared {
        fn lines(&self) -> Vec<String> {
            let bytes = self.0.lock().expect("the buffer").clone();
            let text = String::from_utf8(bytes).expect("text");
            text.lines().map(str::to_owned).collect()
        }
    }

    #[test]
    fn plain_lines_tell_the_start_and_the_end_of_a_task() {
        let out = Shared::default();
        let progress = PlainLines::new(Box::new(out.clone()));
        let task = Task::start(&progress, "node1", "starting");
        task.advance(1);
        task.done("running");
        progress.report(Event::Warning { message: "look here" });
        let lines = out.lines();
        assert_eq!(lines[0], "node1: starting");
        assert!(lines[1].starts_with("node1: running ("), "{}", lines[1]);
        assert_eq!(lines[2], "warning: look here");
    }

    #[test]
    fn a_task_that_is_dropped_is_reported_as_failed() {
        let out = Shared::default();
        let progress = PlainLines::new(Box::new(out.clone()));
        drop(Task::start(&progress, "node1", "starting"));
        assert!(out.lines()[1].contains("not finished"));
    }

    #[test]
    fn every_json_line_is_an_object_that_names_its_event() {
        let out = Shared::default();
        let progress = JsonLines::new(Box::new(out.clone()));
        Task::start(&progress, "node1", "starting").failed("no disk");
        let events: Vec<serde_json::Value> = out
            .lines()
            .iter()
            .map(|line| serde_json::from_str(line).expect("an object"))
            .collect();
        assert_eq!(events[0]["event"], "started");
        assert_eq!(events[1]["event"], "failed");
        assert_eq!(events[1]["reason"], "no disk");
    }
}
