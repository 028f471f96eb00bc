//! What happens now and then: rollouts, and what hosts answered when they were asked.

use metric_flow_protocol::deploy::DeployEvent;
use serde::{Deserialize, Serialize};

use super::{AccountId, HostId};

/// A deed of a rollout, as the deployer told it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeployRecord {
    /// Whose hosts it was done to.
    pub account: AccountId,
    /// What was told.
    pub event: DeployEvent,
}

impl DeployRecord {
    /// What names it, as one text: told again, it replaces what was told before.
    pub fn key(&self) -> String {
        let event = &self.event;
        // JSON keeps the parts apart whatever they hold.
        serde_json::json!([
            self.account,
            event.started_unix_ms,
            event.project,
            event.release_id,
            event.host,
            event.what
        ])
        .to_string()
    }
}

/// What a host answered to one question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnswerRecord {
    /// Whose host it is.
    pub account: AccountId,
    /// The host.
    pub host: HostId,
    /// What was asked, such as `processes`.
    pub kind: String,
    /// When the host answered, milliseconds since 1970-01-01 UTC.
    pub time_unix_ms: i64,
    /// The answer. Numbers beyond 2^63 - 1 are kept as that by MongoDB.
    pub body: serde_json::Value,
}
