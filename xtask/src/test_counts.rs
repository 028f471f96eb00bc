//! How many tests passed and failed, read from what the test runners print.

use std::ops::AddAssign;

/// Numbers of tests.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Tests that passed.
    pub(crate) passed: usize,
    /// Tests that failed.
    pub(crate) failed: usize,
    /// Tests that were not run.
    pub(crate) skipped: usize,
}

impl Counts {
    /// A check that is one test by itself.
    pub(crate) fn one(success: bool) -> Self {
        Self {
            passed: usize::from(success),
            failed: usize::from(!success),
            skipped: 0,
        }
    }

    /// A program that failed must not count as passed because its output names no failed test.
    pub(crate) fn or_failure(mut self, success: bool) -> Self {
        if !success && self.failed == 0 {
            self.failed = 1;
        }
        self
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

/// Sums cargo's `test result: ok. 3 passed; 1 failed; 0 ignored; …` lines.
pub(crate) fn cargo_test(output: &str) -> Counts {
    let mut counts = Counts::default();
    for line in output
        .lines()
        .filter_map(|line| line.trim().strip_prefix("test result: "))
    {
        counts += Counts {
            passed: number_before(line, " passed"),
            failed: number_before(line, " failed"),
            skipped: number_before(line, " ignored"),
        };
    }
    counts
}

/// Vitest's summary: `Tests  1 failed | 11 passed (12)`.
pub(crate) fn vitest(output: &str) -> Counts {
    let plain = without_colour(output);
    let line = plain
        .lines()
        .rev()
        .find(|line| line.trim_start().starts_with("Tests "))
        .unwrap_or_default();
    Counts {
        passed: number_before(line, " passed"),
        failed: number_before(line, " failed"),
        skipped: number_before(line, " skipped") + number_before(line, " todo"),
    }
}

/// The closing lines of Node's own runner: `# pass 3`, or `ℹ pass 3`.
pub(crate) fn node_test(output: &str) -> Counts {
    let plain = without_colour(output);
    let number = |word: &str| {
        plain
            .lines()
            .filter_map(|line| line.strip_prefix("# ").or_else(|| line.strip_prefix("ℹ ")))
            .filter_map(|line| line.strip_prefix(word)?.trim().parse::<usize>().ok())
            .sum()
    };
    Counts {
        passed: number("pass "),
        failed: number("fail ") + number("cancelled "),
        skipped: number("skipped ") + number("todo "),
    }
}

/// TAP, as bats prints it: `ok 1 …`, `not ok 2 …`, `ok 3 … # skip …`.
pub(crate) fn tap(output: &str) -> Counts {
    let mut counts = Counts::default();
    for line in output.lines() {
        let skipped = line.contains("# skip");
        counts += Counts {
            passed: usize::from(line.starts_with("ok ") && !skipped),
            failed: usize::from(line.starts_with("not ok ")),
            skipped: usize::from(line.starts_with("ok ") && skipped),
        };
    }
    counts
}

/// Python's unittest: `Ran 5 tests in 0.1s`, then `OK` or `FAILED (failures=1, errors=2)`.
pub(crate) fn unittest(output: &str) -> Counts {
    let ran = output
        .lines()
        .filter_map(|line| {
            line.strip_prefix("Ran ")?
                .split(' ')
                .next()?
                .parse::<usize>()
                .ok()
        })
        .sum::<usize>();
    let verdicts: Vec<&str> = output
        .lines()
        .filter(|line| line.starts_with("OK") || line.starts_with("FAILED ("))
        .collect();
    let number = |key: &str| verdicts.iter().map(|line| number_after(line, key)).sum::<usize>();
    let failed = number("failures=") + number("errors=");
    let skipped = number("skipped=");
    Counts {
        passed: ran.saturating_sub(failed + skipped),
        failed,
        skipped,
    }
}

fn number_before(line: &str, word: &str) -> usize {
    line.split(word)
        .next()
        .filter(|before| before.len() < line.len())
        .and_then(|before| {
            before
                .rsplit(|character: char| !character.is_ascii_digit())
                .next()?
                .parse()
                .ok()
        })
        .unwrap_or_default()
}

fn number_after(line: &str, key: &str) -> usize {
    line.split_once(key)
        .and_then(|(_, after)| {
            after
                .split(|character: char| !character.is_ascii_digit())
                .next()?
                .parse()
                .ok()
        })
        .unwrap_or_default()
}

/// Takes out the colour codes of terminals (`ESC [ … letter`).
fn without_colour(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character == '\u{1b}' {
            characters.find(|next| next.is_ascii_alphabetic());
        } else {
            plain.push(character);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(passed: usize, failed: usize, skipped: usize) -> Counts {
        Counts {
            passed,
            failed,
            skipped,
        }
    }

    #[test]
    fn cargos_lines_are_summed() {
        let output = "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out\n\
                      test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured\n";
        assert_eq!(cargo_test(output), counts(15, 2, 1));
    }

    #[test]
    fn vitests_summary_is_read_through_its_colours() {
        let output = " Test Files  2 passed (2)\n\u{1b}[2m      Tests \u{1b}[22m \u{1b}[1m1 failed\u{1b}[22m | 11 passed (12)";
        assert_eq!(vitest(output), counts(11, 1, 0));
    }

    #[test]
    fn nodes_closing_lines_are_read_in_both_reporters() {
        assert_eq!(
            node_test("# tests 4\n# pass 3\n# fail 1\n# cancelled 0\n"),
            counts(3, 1, 0)
        );
        assert_eq!(node_test("ℹ pass 2\nℹ fail 0\nℹ skipped 1\n"), counts(2, 0, 1));
    }

    #[test]
    fn tap_lines_are_counted() {
        assert_eq!(
            tap("1..3\nok 1 a\nnot ok 2 b\nok 3 c # skip none\n"),
            counts(1, 1, 1)
        );
    }

    #[test]
    fn unittests_failures_and_errors_are_failures() {
        assert_eq!(
            unittest("Ran 5 tests in 0.1s\n\nFAILED (failures=1, errors=2)\n"),
            counts(2, 3, 0)
        );
        assert_eq!(
            unittest("Ran 5 tests in 0.1s\n\nOK (skipped=1)\n"),
            counts(4, 0, 1)
        );
    }

    #[test]
    fn a_program_that_fails_without_a_failed_test_counts_as_one_failure() {
        assert_eq!(counts(3, 0, 0).or_failure(false), counts(3, 1, 0));
        assert_eq!(counts(3, 2, 0).or_failure(false), counts(3, 2, 0));
    }
}
