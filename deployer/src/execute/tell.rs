//! Telling the project's own server of what was done, so that its charts can show when.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{ending::now_unix_ms, error::Outcome, rollout::Rollout, target::chain};
use crate::progress::Event;

/// How long telling may take: everything is done by then, and somebody waits for the prompt.
const PATIENCE: Duration = Duration::from_secs(15);

impl Rollout<'_> {
    /// Tells the server how it ended on each host. A server that does not listen is a warning: what was done is done.
    pub(super) async fn tell(&self, outcome: &Outcome, started_unix_ms: u64) {
        let Some(server) = &self.shared.enrolment else {
            return;
        };
        let events = self.events(outcome, started_unix_ms).await;
        let telling = async {
            for event in &events {
                server.ask(Method::POST, "/api/v1/deploy-events", event).await?;
            }
            Ok::<_, super::error::HostError>(())
        };
        let reason = match timeout(PATIENCE, telling).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => chain(&error),
            Err(_) => "it does not answer in time".to_owned(),
        };
        let message = format!("the server was not told of this {}: {reason}", self.order.verb);
        self.progress.report(Event::Warning { message: &message });
    }

    /// One event for each host that was touched, in the words of `protocol::deploy`.
    async fn events(&self, outcome: &Outcome, started_unix_ms: u64) -> Vec<Value> {
        let failed = self.failed.lock().await;
        let ended = |host: &String| match outcome {
            Outcome::RolledBack { left, .. } if left.is_empty() => "rolled_back",
            Outcome::Done => "succeeded",
            Outcome::Partly { .. } if !failed.contains_key(host) => "succeeded",
            _ => "failed",
        };
        let event = |host: &String| {
            json!({
                "release_id": self.order.release,
                "project": self.order.project,
                "who": self.order.owner.who,
                "host": host,
                "what": self.order.verb,
                "started_unix_ms": started_unix_ms,
                "finished_unix_ms": now_unix_ms(),
                "outcome": ended(host),
            })
        };
        self.touched().iter().map(event).collect()
    }
}
