//! One measured figure.

use serde::{Deserialize, Serialize};

/// One measured figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// What was measured.
    pub name: String,
    /// The value with its unit.
    pub value: String,
    /// The value alone, where it is one number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<f64>,
    /// The goal, in words; empty where there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub goal: String,
    /// Whether the goal is reached; `None` where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reached: Option<bool>,
    /// What else was measured in the same run, and the ratio to it; empty where nothing was.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub against: String,
}

impl Figure {
    /// A figure with an upper bound in the same unit.
    pub fn at_most(name: impl Into<String>, value: f64, bound: f64, unit: &str) -> Self {
        Self {
            goal: format!("≤ {} {unit}", plain_number(bound)),
            reached: Some(value <= bound),
            ..Self::number(name, value, unit)
        }
    }

    /// A figure with a lower bound in the same unit.
    pub fn at_least(name: impl Into<String>, value: f64, bound: f64, unit: &str) -> Self {
        Self {
            goal: format!("≥ {} {unit}", plain_number(bound)),
            reached: Some(value >= bound),
            ..Self::number(name, value, unit)
        }
    }

    /// A number without a goal.
    pub fn number(name: impl Into<String>, value: f64, unit: &str) -> Self {
        Self {
            number: Some(value),
            ..Self::plain(name, format!("{} {unit}", rounded(value)))
        }
    }

    /// A figure without a goal that is not one number.
    pub fn plain(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            value: value.into(),
            number: None,
            goal: String::new(),
            reached: None,
            against: String::new(),
        }
    }

    /// As one line of text.
    pub fn line(&self) -> String {
        let verdict = match self.reached {
            Some(true) => format!(" (goal {}: reached)", self.goal),
            Some(false) => format!(" (goal {}: MISSED)", self.goal),
            None => String::new(),
        };
        let against = if self.against.is_empty() {
            String::new()
        } else {
            format!(" [{}]", self.against)
        };
        format!("{}: {}{verdict}{against}", self.name, self.value)
    }

    /// The same figure with what it is to be compared with, after what is there already.
    #[must_use]
    pub fn against(mut self, other: impl Into<String>) -> Self {
        if !self.against.is_empty() {
            self.against.push_str(" · ");
        }
        self.against.push_str(&other.into());
        self
    }

    /// The same figure with a peer's value in the same unit, and the ratio of the two; to nothing there is none.
    #[must_use]
    pub fn beside(self, peer: &str, value: f64, unit: &str) -> Self {
        let mut text = format!("{peer}: {} {unit}", rounded(value));
        if let Some(number) = self.number.filter(|_| value > 0.0) {
            text.push_str(&format!("; ratio {}", rounded(number / value)));
        }
        self.against(text)
    }
}

/// Three significant digits, so that noise does not look like knowledge.
pub fn rounded(value: f64) -> String {
    match value.abs() {
        size if size >= 1000.0 => {
            let unit = 10_f64.powf(size.log10().floor() - 2.0);
            format!("{:.0}", (value / unit).round() * unit)
        }
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// A goal as people write it: without digits that say nothing.
fn plain_number(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_are_kept() {
        assert_eq!(rounded(123_456.0), "123000");
        assert_eq!(rounded(31.93), "31.9");
        assert_eq!(rounded(0.123_45), "0.123");
    }

    #[test]
    fn a_ratio_is_to_the_peer() {
        let figure = Figure::at_most("memory", 2.0, 6.0, "MiB").beside("peer", 8.0, "MiB");
        assert_eq!(figure.against, "peer: 8.00 MiB; ratio 0.250");
        assert_eq!((figure.goal.as_str(), figure.reached), ("≤ 6 MiB", Some(true)));
    }

    #[test]
    fn several_peers_stand_beside_each_other_and_nothing_has_no_ratio() {
        let figure = Figure::number("p99", 9.0, "ms")
            .beside("one", 3.0, "ms")
            .beside("other", 0.0, "ms");
        assert_eq!(figure.against, "one: 3.00 ms; ratio 3.00 · other: 0.000 ms");
    }
}
