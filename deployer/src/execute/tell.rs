//! Telling the project's own server of what was done, so that its charts can show when.

use std::{collections::BTreeMap, path::Path, time::Duration};

use http::Method;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{
    enrolment::Server,
    error::{HostError, Outcome},
    lock::Owner,
    rollout::{Rollout, server_at},
    target::{Fleet, chain},
};
use crate::{
    clock::now_unix_ms,
    compose::Project,
    containers::{LABEL_SERVICE, Listed},
    progress::Event,
};

/// How long telling may take: everything is done by then, and somebody waits for the prompt.
const PATIENCE: Duration = Duration::from_secs(15);

impl Rollout<'_> {
    /// Tells the server how it ended on each host. A server that does not listen is a warning: what was done is done.
    pub(super) async fn tell(&self, outcome: &Outcome, started_unix_ms: u64) {
        let Some(server) = &self.shared.enrolment else {
            return;
        };
        let events = self.events(outcome, started_unix_ms).await;
        if let Err(message) = send(server, &events, self.order.verb).await {
            self.progress.report(Event::Warning { message: &message });
        }
    }

    /// One event for each host that was touched.
    async fn events(&self, outcome: &Outcome, started_unix_ms: u64) -> Vec<Value> {
        let failed = self.failed.lock().await;
        let ended = |host: &String| match outcome {
            Outcome::RolledBack { left, .. } if left.is_empty() => "rolled_back",
            Outcome::Done => "succeeded",
            Outcome::Partly { .. } if !failed.contains_key(host) => "succeeded",
            _ => "failed",
        };
        let deed = Deed {
            project: &self.order.project,
            who: &self.order.owner.who,
            what: self.order.verb,
            started_unix_ms,
        };
        let touched = self.touched();
        let event = |host: &String| deed.event(host, &self.order.release, ended(host));
        touched.iter().map(event).collect()
    }
}

/// Hosts on which a rollout that was cut off has been put back afterwards.
#[derive(Debug)]
pub struct PutBack {
    /// Who did it.
    pub owner: Owner,
    /// When it began, in milliseconds since 1970.
    pub started_unix_ms: u64,
    /// By host: the release that is gone again, and whether all of it is.
    pub hosts: BTreeMap<String, (String, bool)>,
}

impl PutBack {
    /// Begins now.
    #[must_use]
    pub fn begin(owner: Owner) -> Self {
        Self {
            owner,
            started_unix_ms: now_unix_ms(),
            hosts: BTreeMap::new(),
        }
    }

    /// Tells the project's server of it, where there is one by now: a rollout that had brought it has taken it away.
    ///
    /// # Errors
    ///
    /// What to warn of: the server does not listen.
    pub async fn tell(&self, fleet: &Fleet, project: &Project, account_file: &Path) -> Result<(), String> {
        let there = listed(fleet).await;
        let server = server_at(project, account_file, |service| {
            let of_it = |container: &&Listed| {
                container.state == "running"
                    && container
                        .labels
                        .get(LABEL_SERVICE)
                        .is_some_and(|label| label == service)
            };
            there.iter().find_map(|(host, containers)| {
                let name = containers.iter().find(of_it)?.name.clone();
                Some((fleet.targets.get(host)?.clone(), name))
            })
        });
        let Some(server) = server else { return Ok(()) };
        let deed = Deed {
            project: &project.name,
            who: &self.owner.who,
            what: "rollback",
            started_unix_ms: self.started_unix_ms,
        };
        let event = |(host, (release, whole)): (&String, &(String, bool))| {
            deed.event(host, release, if *whole { "rolled_back" } else { "failed" })
        };
        let events: Vec<Value> = self.hosts.iter().map(event).collect();
        send(&server, &events, deed.what).await
    }
}

/// The project's containers, by host. A host that does not say has none: telling is not worth an error.
async fn listed(fleet: &Fleet) -> BTreeMap<String, Vec<Listed>> {
    let each = fleet.each(|target| async move { target.engine.containers(&target.project).await });
    let each = each.await.into_iter();
    each.map(|(host, found)| (host, found.unwrap_or_default()))
        .collect()
}

/// What the events of one command have in common.
struct Deed<'a> {
    project: &'a str,
    who: &'a str,
    what: &'a str,
    started_unix_ms: u64,
}

impl Deed<'_> {
    /// In the words of `protocol::deploy`.
    fn event(&self, host: &str, release: &str, outcome: &str) -> Value {
        json!({
            "release_id": release,
            "project": self.project,
            "who": self.who,
            "host": host,
            "what": self.what,
            "started_unix_ms": self.started_unix_ms,
            "finished_unix_ms": now_unix_ms(),
            "outcome": outcome,
        })
    }
}

/// Sends the events of a command called `verb`; the error is a whole sentence.
async fn send(server: &Server, events: &[Value], verb: &str) -> Result<(), String> {
    let telling = async {
        for event in events {
            server.ask(Method::POST, "/api/v1/deploy-events", event).await?;
        }
        Ok::<_, HostError>(())
    };
    let reason = match timeout(PATIENCE, telling).await {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(error)) => chain(&error),
        Err(_) => "it does not answer in time".to_owned(),
    };
    Err(format!("the server was not told of this {verb}: {reason}"))
}
