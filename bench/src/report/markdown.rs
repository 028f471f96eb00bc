//! Results as Markdown, between two markers of a document.

use std::fmt::Write as _;

use super::{Figure, Results};

/// A section for each scenario that has figures, in the order of `order`: name and what it is about.
pub fn markdown(results: &Results, order: &[(&str, &str)]) -> String {
    let mut text = format!("Machine: {}\n", results.machine.sentence());
    for (name, about) in order {
        // Writing to a String cannot fail.
        let _ = match results.scenarios.get(*name) {
            Some(figures) => write!(
                text,
                "\n### {name}: {about}\n\n    cargo xtask bench --only {name}\n\n{}",
                table(figures)
            ),
            None => write!(text, "\n### {name}: {about}\n\nNot measured on this machine.\n"),
        };
    }
    text
}

fn table(figures: &[Figure]) -> String {
    let mut table =
        String::from("| figure | measured | goal | reached | in the same run |\n|---|---|---|---|---|\n");
    for figure in figures {
        let reached = match figure.reached {
            Some(true) => "yes",
            Some(false) => "**no**",
            None => "",
        };
        let Figure {
            name,
            value,
            goal,
            against,
            ..
        } = figure;
        // Writing to a String cannot fail.
        let _ = writeln!(table, "| {name} | {value} | {goal} | {reached} | {against} |");
    }
    table
}

/// Replaces what stands between two marker lines of a document; `None` when a marker is missing.
pub fn replace_between(document: &str, begin: &str, end: &str, text: &str) -> Option<String> {
    let (head, rest) = document.split_once(begin)?;
    let (_, tail) = rest.split_once(end)?;
    Some(format!("{head}{begin}\n\n{}\n\n{end}{tail}", text.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_says_which_goals_are_missed() {
        let table = table(&[
            Figure::at_most("memory", 31.93, 60.0, "MiB"),
            Figure::at_least("speed", 10.0, 20.0, "1/s"),
        ]);
        assert!(
            table.contains("| memory | 31.9 MiB | ≤ 60 MiB | yes |"),
            "{table}"
        );
        assert!(
            table.contains("| speed | 10.0 1/s | ≥ 20 1/s | **no** |"),
            "{table}"
        );
    }

    #[test]
    fn what_was_not_measured_is_named() {
        let text = markdown(&Results::fresh(), &[("live", "hosts that send")]);
        assert!(
            text.contains("### live: hosts that send\n\nNot measured"),
            "{text}"
        );
    }

    #[test]
    fn only_the_text_between_the_markers_changes() {
        let document = "head\n<!-- a -->\nold\n<!-- b -->\ntail\n";
        let expected = "head\n<!-- a -->\n\nnew\n\n<!-- b -->\ntail\n";
        assert_eq!(
            replace_between(document, "<!-- a -->", "<!-- b -->", "new\n").as_deref(),
            Some(expected)
        );
        assert_eq!(replace_between(document, "<!-- c -->", "<!-- b -->", "new"), None);
    }
}
