//! `[lab]`: how the hosts are worked on as a whole.

use std::time::Duration;

use super::raw::{At, RawLab};

/// Hosts that one rollout works on at once: a small machine can hold that many transfers, and 20 hosts still go in one batch.
const DEFAULT_PARALLEL: usize = 20;
/// A machine on the same network answers in milliseconds; a far one behind a jump host within this.
const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// The longest that one step other than a transfer may take: starting a container on a slow disk.
const DEFAULT_STEP_TIMEOUT: Duration = Duration::from_secs(120);
/// How long a container may take to become healthy: a database that replays its log.
const DEFAULT_HEALTH_TIMEOUT: Duration = Duration::from_secs(120);

/// Settings of the lab as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabSettings {
    /// The registry that images go through; without one they are shipped directly.
    pub registry: Option<String>,
    /// Registries, as `name:port`, that are used without TLS or with a certificate that nobody vouches for.
    pub insecure_registries: Vec<String>,
    /// Hosts worked on at once.
    pub parallel: usize,
    /// Deadline of connecting and authenticating, each.
    pub connect_timeout: Duration,
    /// Deadline of one step.
    pub step_timeout: Duration,
    /// Deadline of becoming healthy.
    pub health_timeout: Duration,
}

/// Checks `[lab]`.
pub(super) fn settings(raw: RawLab, wrong: &mut impl FnMut(usize, String)) -> LabSettings {
    let mut positive = |value: Option<At<i64>>, default: u64, key: &str| match value {
        None => default,
        Some(value) => u64::try_from(value.value)
            .ok()
            .filter(|value| *value > 0)
            .unwrap_or_else(|| {
                wrong(
                    value.line,
                    format!("`{key}` must be at least 1, not {}", value.value),
                );
                default
            }),
    };
    let mut seconds =
        |value, default: Duration, key| Duration::from_secs(positive(value, default.as_secs(), key));
    let connect_timeout = seconds(
        raw.connect_timeout_seconds,
        DEFAULT_CONNECT_TIMEOUT,
        "connect_timeout_seconds",
    );
    let step_timeout = seconds(
        raw.step_timeout_seconds,
        DEFAULT_STEP_TIMEOUT,
        "step_timeout_seconds",
    );
    let health_timeout = seconds(
        raw.health_timeout_seconds,
        DEFAULT_HEALTH_TIMEOUT,
        "health_timeout_seconds",
    );
    let parallel = positive(raw.parallel, DEFAULT_PARALLEL as u64, "parallel");
    LabSettings {
        registry: raw.registry.map(|registry| registry.value),
        insecure_registries: raw
            .insecure_registries
            .map(|names| names.value)
            .unwrap_or_default(),
        parallel: usize::try_from(parallel).unwrap_or(DEFAULT_PARALLEL),
        connect_timeout,
        step_timeout,
        health_timeout,
    }
}
