//! `deploy.update_config` and `rollback_config`, with the percentages that the specification's library has no room for.

use std::time::Duration;

use serde_yaml::{Mapping, Value};

/// Updates fail within this after the start, when the file does not say: Docker's own default.
const DEFAULT_MONITOR: Duration = Duration::from_secs(5);

/// How many hosts at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parallelism {
    /// All.
    All,
    /// So many.
    Hosts(usize),
    /// So many of a hundred, at least one.
    Percent(usize),
}

impl Parallelism {
    /// The size of a batch among so many hosts.
    #[must_use]
    pub fn of(self, hosts: usize) -> usize {
        match self {
            Self::All => hosts.max(1),
            Self::Hosts(count) => count.max(1),
            Self::Percent(percent) => (hosts * percent).div_ceil(100).max(1),
        }
    }
}

/// What happens to the rest when a host fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureAction {
    /// Everything that this rollout touched is put back.
    Rollback,
    /// Nothing more is done.
    Pause,
    /// The other hosts go on.
    Continue,
}

/// Whether the old container stops before the new one starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The old one first.
    StopFirst,
    /// The new one first.
    StartFirst,
}

/// How a service is updated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Update {
    /// How many hosts at once. The first host goes alone where it is a percentage: the canary.
    pub parallelism: Parallelism,
    /// Between batches.
    pub delay: Duration,
    /// Which container goes first.
    pub order: Order,
    /// How long a container without a healthcheck is watched.
    pub monitor: Duration,
    /// What a failure does.
    pub failure_action: FailureAction,
    /// The share of the service's own containers in this update that may fail.
    pub max_failure_ratio: f64,
}

impl Default for Update {
    /// One host after the other, the old container first, and back to where it was when one fails.
    fn default() -> Self {
        Self {
            parallelism: Parallelism::Hosts(1),
            delay: Duration::ZERO,
            order: Order::StopFirst,
            monitor: DEFAULT_MONITOR,
            failure_action: FailureAction::Rollback,
            max_failure_ratio: 0.0,
        }
    }
}

impl Update {
    /// Whether so many failed containers of so many that are updated are few enough to go on: `max_failure_ratio` of the
    /// Compose specification, as Swarm reads it.
    #[must_use]
    pub fn tolerates(&self, failed: usize, updated: usize) -> bool {
        failed == 0 || failed as f64 <= self.max_failure_ratio * updated as f64
    }

    /// Takes the mapping out of `deploy` and reads it; none when it is not there.
    pub(super) fn take(
        deploy: &mut Mapping,
        key: &str,
        path: &str,
        problems: &mut Vec<String>,
    ) -> Option<Self> {
        let Some(Value::Mapping(map)) = deploy.remove(key) else {
            return None;
        };
        let mut update = Self::default();
        // A rollback cannot be rolled back: it stops where it fails, as Docker's does.
        let is_rollback = key == "rollback_config";
        if is_rollback {
            update.failure_action = FailureAction::Pause;
        }
        let mut wrong = |key: &str, wanted: &str| problems.push(format!("{path}.{key}: it must be {wanted}"));
        for (name, value) in &map {
            let Some(name) = name.as_str() else { continue };
            let text = text_of(value);
            match name {
                "parallelism" => match parallelism(&text) {
                    Some(parallelism) => update.parallelism = parallelism,
                    None => wrong(name, "a number of hosts or a percentage such as 25%"),
                },
                "delay" | "monitor" => match compose_spec::duration::parse(&text) {
                    Ok(duration) if name == "delay" => update.delay = duration,
                    Ok(duration) => update.monitor = duration,
                    Err(_) => wrong(name, "a duration such as 10s"),
                },
                "order" => match text.as_str() {
                    "stop-first" => update.order = Order::StopFirst,
                    "start-first" => update.order = Order::StartFirst,
                    _ => wrong(name, "stop-first or start-first"),
                },
                "failure_action" => match text.as_str() {
                    "rollback" if !is_rollback => update.failure_action = FailureAction::Rollback,
                    "pause" => update.failure_action = FailureAction::Pause,
                    "continue" => update.failure_action = FailureAction::Continue,
                    _ if is_rollback => wrong(name, "pause or continue"),
                    _ => wrong(name, "rollback, pause or continue"),
                },
                "max_failure_ratio" => match text.parse::<f64>() {
                    Ok(ratio) if (0.0..=1.0).contains(&ratio) => update.max_failure_ratio = ratio,
                    _ => wrong(name, "a number from 0 to 1"),
                },
                _ => {}
            }
        }
        Some(update)
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    }
}

fn parallelism(text: &str) -> Option<Parallelism> {
    if let Some(percent) = text.strip_suffix('%') {
        let percent = percent
            .trim()
            .parse()
            .ok()
            .filter(|percent| (1..=100).contains(percent))?;
        return Some(Parallelism::Percent(percent));
    }
    // 0 is the specification's word for all.
    text.parse().ok().map(|count| {
        if count == 0 {
            Parallelism::All
        } else {
            Parallelism::Hosts(count)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_of_failures_is_that_of_the_update() {
        let update = |max_failure_ratio| Update {
            max_failure_ratio,
            ..Update::default()
        };
        assert!(update(0.0).tolerates(0, 0));
        assert!(!update(0.0).tolerates(1, 10));
        assert!(update(0.25).tolerates(1, 4));
        assert!(!update(0.25).tolerates(2, 4));
        assert!(!update(0.25).tolerates(1, 2));
        assert!(update(1.0).tolerates(3, 3));
    }

    #[test]
    fn a_batch_is_never_empty_and_percentages_round_up() {
        assert_eq!(Parallelism::Percent(25).of(10), 3);
        assert_eq!(Parallelism::Percent(1).of(3), 1);
        assert_eq!(Parallelism::All.of(0), 1);
        assert_eq!(parallelism("0"), Some(Parallelism::All));
        assert_eq!(parallelism("120%"), None);
    }
}
