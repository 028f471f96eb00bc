//! What came out of each suite, and the one line of totals.

use std::time::Instant;

use crate::{printer::Printer, process::elapsed, test_counts::Counts};

/// The results so far.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    suites: Vec<(&'static str, Counts, String)>,
    left_out: Vec<&'static str>,
}

impl Summary {
    /// Remembers a suite that `--without` left out.
    pub(crate) fn left_out(&mut self, name: &'static str) {
        self.left_out.push(name);
    }

    /// Remembers what a suite gave. One that ran nothing has failed: it would hide what it should show.
    pub(crate) fn ran(&mut self, printer: &Printer, name: &'static str, counts: Counts, started: Instant) {
        let nothing = counts.passed + counts.failed == 0;
        let counts = if nothing { Counts::one(false) } else { counts };
        if nothing {
            printer.line(format_args!("      {name}: nothing was tested"));
        }
        let took = elapsed(started);
        printer.line(format_args!("    {name}: {}, {took}", in_words(counts)));
        self.suites.push((name, counts, took));
    }

    /// Whether nothing failed.
    pub(crate) fn success(&self) -> bool {
        self.total().failed == 0
    }

    /// A line for each suite, then the totals alone on the last line.
    pub(crate) fn print(&self, printer: &Printer) {
        printer.line("");
        for (name, counts, took) in &self.suites {
            let verdict = if counts.failed == 0 { "ok" } else { "FAILED" };
            printer.line(format_args!(
                "{verdict:<7} {name:<14} {} in {took}",
                in_words(*counts)
            ));
        }
        for name in &self.left_out {
            printer.line(format_args!("left out {name}"));
        }
        printer.line(in_words(self.total()));
    }

    fn total(&self) -> Counts {
        let mut total = Counts {
            skipped: self.left_out.len(),
            ..Counts::default()
        };
        for (_, counts, _) in &self.suites {
            total += *counts;
        }
        total
    }
}

fn in_words(counts: Counts) -> String {
    let Counts {
        passed,
        failed,
        skipped,
    } = counts;
    if skipped == 0 {
        format!("{passed} passed, {failed} failed")
    } else {
        format!("{passed} passed, {failed} failed, {skipped} skipped")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suite_that_tested_nothing_has_failed() {
        let mut summary = Summary::default();
        summary.ran(&Printer::new(), "empty", Counts::default(), Instant::now());
        assert!(!summary.success());
    }

    #[test]
    fn a_suite_left_out_is_counted_as_skipped() {
        let mut summary = Summary::default();
        summary.left_out("lab");
        summary.ran(
            &Printer::new(),
            "rust",
            Counts {
                passed: 3,
                ..Counts::default()
            },
            Instant::now(),
        );
        assert_eq!(in_words(summary.total()), "3 passed, 0 failed, 1 skipped");
    }
}
