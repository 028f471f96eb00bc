//! Figures as rows, and the table that bench/README.md holds.

use std::fmt::Write as _;

/// One measured figure.
#[derive(Debug, Clone)]
pub struct Figure {
    /// What was measured.
    pub name: String,
    /// The value with its unit.
    pub value: String,
    /// The goal, in words; empty where there is none.
    pub goal: String,
    /// Whether the goal is reached; `None` where there is none.
    pub reached: Option<bool>,
}

impl Figure {
    /// A figure with an upper bound in the same unit.
    pub fn at_most(name: impl Into<String>, value: f64, bound: f64, unit: &str) -> Self {
        Self {
            name: name.into(),
            value: format!("{} {unit}", rounded(value)),
            goal: format!("≤ {} {unit}", rounded(bound)),
            reached: Some(value <= bound),
        }
    }

    /// A figure with a lower bound in the same unit.
    pub fn at_least(name: impl Into<String>, value: f64, bound: f64, unit: &str) -> Self {
        Self {
            name: name.into(),
            value: format!("{} {unit}", rounded(value)),
            goal: format!("≥ {} {unit}", rounded(bound)),
            reached: Some(value >= bound),
        }
    }

    /// A figure without a goal.
    pub fn plain(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            value: value.into(),
            goal: String::new(),
            reached: None,
        }
    }
}

/// The figures as a Markdown table.
pub fn markdown_table(figures: &[Figure]) -> String {
    let mut table = String::from("| figure | measured | goal | reached |\n|---|---|---|---|\n");
    for figure in figures {
        let reached = match figure.reached {
            Some(true) => "yes",
            Some(false) => "**no**",
            None => "",
        };
        // Writing to a String cannot fail.
        let _ = writeln!(
            table,
            "| {} | {} | {} | {reached} |",
            figure.name, figure.value, figure.goal
        );
    }
    table
}

/// Replaces what stands between two marker lines of a document; `None` when a marker is missing.
pub fn replace_between(document: &str, begin: &str, end: &str, text: &str) -> Option<String> {
    let (head, rest) = document.split_once(begin)?;
    let (_, tail) = rest.split_once(end)?;
    Some(format!("{head}{begin}\n\n{}\n\n{end}{tail}", text.trim()))
}

/// Three significant digits, so that noise does not look like knowledge.
pub fn rounded(value: f64) -> String {
    match value.abs() {
        size if size >= 1000.0 => format!("{value:.0}"),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_says_which_goals_are_missed() {
        let table = markdown_table(&[
            Figure::at_most("memory", 31.93, 60.0, "MiB"),
            Figure::at_least("speed", 10.0, 20.0, "1/s"),
        ]);
        assert!(
            table.contains("| memory | 31.9 MiB | ≤ 60.0 MiB | yes |"),
            "{table}"
        );
        assert!(
            table.contains("| speed | 10.0 1/s | ≥ 20.0 1/s | **no** |"),
            "{table}"
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
