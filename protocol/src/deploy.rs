//! What a rollout tells the server about itself, so that charts can show when something was deployed.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// One thing that a rollout did, as `POST /api/v1/deploy-events` takes it.
///
/// Project, release, host, `what` and start name it: told again, it replaces what was told before, so that a deed
/// can be told when it starts and again when it ends.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct DeployEvent {
    /// Id of the release that was put in place.
    pub release_id: String,
    /// The Compose project.
    pub project: String,
    /// Who did it, such as `ada@laptop`.
    pub who: String,
    /// Name of the host in hosts.toml; `null` for all hosts of the rollout.
    pub host: Option<String>,
    /// What was done, in a few words, such as `rollout` or `node-client updated`.
    pub what: String,
    /// When it started, milliseconds since 1970-01-01 UTC.
    #[ts(type = "number")]
    pub started_unix_ms: i64,
    /// When it ended; `null` while it runs.
    #[ts(type = "number | null")]
    pub finished_unix_ms: Option<i64>,
    /// How it ended.
    pub outcome: DeployOutcome,
}

/// How a deed of a rollout ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum DeployOutcome {
    /// It has not ended, or its end was never told.
    #[default]
    Running,
    /// It did what it should.
    Succeeded,
    /// It failed and left things as they were at that moment.
    Failed,
    /// It failed, and what was there before is there again.
    RolledBack,
}

/// The answer of `GET /api/v1/deploy-events`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct DeployEvents {
    /// The events that started in the window, oldest first.
    pub events: Vec<DeployEvent>,
}
