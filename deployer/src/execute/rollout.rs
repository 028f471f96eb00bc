//! A rollout: prepare every host, then service after service in batches, then clean up; or back to where it was.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

use futures_util::{StreamExt as _, stream};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::{
    apply::{HostRun, Shared},
    enrolment::Server,
    error::{HostError, Outcome},
    journal::Journal,
    local::LocalImages,
    lock::Owner,
    observe::Sight,
    state::{Release, State},
    target::{Fleet, chain},
    undo::{drop_kept, undo_all},
};
use crate::{
    compose::{FailureAction, FileSource, Parallelism, Project, Update},
    plan::{DesiredHost, Plan, Stage, Step},
    progress::{Progress, Task},
};

/// What is to be rolled out.
pub struct Order {
    /// The id of the release.
    pub release: String,
    /// Who does it.
    pub owner: Owner,
    /// What each host is to run.
    pub desired: BTreeMap<String, DesiredHost>,
    /// The steps.
    pub plan: Plan,
    /// How each service is updated, in the order of their dependencies.
    pub updates: Vec<(String, Update)>,
    /// The images that are here.
    pub images: LocalImages,
    /// The contents of secrets and configs, with their hashes.
    pub contents: BTreeMap<String, (Vec<u8>, String)>,
    /// Where the account of the server is written down here.
    pub account_file: PathBuf,
    /// Hosts that fail do not stop the others.
    pub keep_going: bool,
}

/// A rollout that runs.
pub struct Rollout<'a> {
    fleet: &'a Fleet,
    hosts: BTreeMap<String, Mutex<HostRun>>,
    order: Order,
    shared: Shared,
    progress: Arc<dyn Progress>,
    stop: CancellationToken,
    failed: Mutex<BTreeMap<String, String>>,
}

impl<'a> Rollout<'a> {
    /// Prepares a rollout. `sights` has what was seen of each host, with the journal of a rollout that was cut off.
    #[must_use]
    pub fn new(
        fleet: &'a Fleet,
        project: &Project,
        order: Order,
        sights: BTreeMap<String, Sight>,
        progress: Arc<dyn Progress>,
        stop: CancellationToken,
    ) -> Self {
        let mut hosts = BTreeMap::new();
        for (name, sight) in sights {
            if let Some(target) = fleet.targets.get(&name) {
                let fresh = Journal {
                    release: order.release.clone(),
                    by: order.owner.who.clone(),
                    undo: Vec::new(),
                };
                let journal = sight.journal.unwrap_or(fresh);
                let run = HostRun {
                    target: target.clone(),
                    journal,
                    state: sight.state,
                };
                hosts.insert(name, Mutex::new(run));
            }
        }
        let shared = Shared {
            release: order.release.clone(),
            images: order.images.clone(),
            contents: order.contents.clone(),
            monitors: order
                .updates
                .iter()
                .map(|(name, update)| (name.clone(), update.monitor))
                .collect(),
            progress: Arc::clone(&progress),
            stop: stop.clone(),
            enrolment: server(fleet, project, &order),
        };
        Self {
            fleet,
            hosts,
            order,
            shared,
            progress,
            stop,
            failed: Mutex::default(),
        }
    }

    /// Does all steps.
    ///
    /// # Errors
    ///
    /// Only when a journal cannot be written at all; everything later is an outcome.
    pub async fn run(self) -> Result<Outcome, HostError> {
        for host in self.touched() {
            if let Some(run) = self.hosts.get(&host) {
                let run = run.lock().await;
                run.journal.write(&run.target).await?;
            }
        }
        let names: Vec<String> = self.hosts.keys().cloned().collect();
        self.batch(&names, &Stage::Prepare, self.fleet.parallel).await;
        if let Some(outcome) = self.verdict(&Update::default()).await {
            return Ok(outcome);
        }
        for (index, (_, update)) in self.order.updates.iter().enumerate() {
            let stage = Stage::Service(index);
            let hosts: Vec<String> = names
                .iter()
                .filter(|name| self.order.plan.of(name, &stage).next().is_some())
                .cloned()
                .collect();
            for (number, batch) in batches(&hosts, update.parallelism).into_iter().enumerate() {
                if number > 0
                    && self
                        .stop
                        .run_until_cancelled(tokio::time::sleep(update.delay))
                        .await
                        .is_none()
                {
                    return Ok(Outcome::Stopped);
                }
                self.batch(batch, &stage, self.fleet.parallel).await;
                if let Some(outcome) = self.verdict(update).await {
                    return Ok(outcome);
                }
            }
        }
        self.batch(&names, &Stage::Clean, self.fleet.parallel).await;
        self.commit().await;
        Ok(self.ended().await)
    }

    /// The hosts with something to do.
    fn touched(&self) -> BTreeSet<String> {
        self.order
            .plan
            .steps
            .iter()
            .map(|step| step.host.clone())
            .collect()
    }

    /// The steps of a stage on some hosts, side by side. A host that has failed is left out.
    async fn batch(&self, hosts: &[String], stage: &Stage, parallel: usize) {
        stream::iter(hosts)
            .map(|host| async move {
                if self.failed.lock().await.contains_key(host) {
                    return;
                }
                let steps: Vec<&Step> = self.order.plan.of(host, stage).collect();
                if let Err(error) = self.steps(host, &steps).await
                    && !matches!(error, HostError::Stopped)
                {
                    self.failed.lock().await.insert(host.clone(), chain(&error));
                }
            })
            .buffer_unordered(parallel.max(1))
            .collect::<()>()
            .await;
    }

    async fn steps(&self, host: &str, steps: &[&Step]) -> Result<(), HostError> {
        let Some(run) = self.hosts.get(host) else {
            return Ok(());
        };
        for step in steps {
            if self.stop.is_cancelled() {
                return Err(HostError::Stopped);
            }
            let sentence = step.action.sentence();
            let task = Task::start(self.progress.as_ref(), host.to_owned(), &sentence);
            let mut run = run.lock().await;
            match run.apply(step, &self.shared).await {
                Ok(()) => task.done(&sentence),
                Err(HostError::Stopped) => {
                    task.failed("stopped while waiting for its health");
                    return Err(HostError::Stopped);
                }
                Err(error) => {
                    task.failed(&chain(&error));
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Whether to go on after a batch; if not, how the rollout ends.
    async fn verdict(&self, update: &Update) -> Option<Outcome> {
        if self.stop.is_cancelled() {
            return Some(Outcome::Stopped);
        }
        let failures = self.failures().await;
        let allowed = (self.hosts.len() as f64 * update.max_failure_ratio).floor();
        if failures.is_empty() || self.order.keep_going || failures.len() as f64 <= allowed {
            return None;
        }
        match update.failure_action {
            FailureAction::Continue => None,
            FailureAction::Pause => Some(Outcome::Paused { failures }),
            FailureAction::Rollback => Some(self.roll_back(failures).await),
        }
    }

    async fn failures(&self) -> Vec<String> {
        self.failed
            .lock()
            .await
            .iter()
            .map(|(host, reason)| format!("{host}: {reason}"))
            .collect()
    }

    /// Puts back every host that was touched, side by side.
    async fn roll_back(&self, failures: Vec<String>) -> Outcome {
        let left = stream::iter(self.touched())
            .map(|host| async move {
                let run = self.hosts.get(&host)?.lock().await;
                let task = Task::start(
                    self.progress.as_ref(),
                    host.clone(),
                    "putting back what was there",
                );
                match undo_all(&run.target, &run.journal).await {
                    Ok(left) if left.is_empty() => {
                        task.done("as it was");
                        None
                    }
                    Ok(left) => {
                        task.failed(&left.join("; "));
                        Some(left)
                    }
                    Err(error) => {
                        let text = chain(&error);
                        task.failed(&text);
                        Some(vec![format!("{host}: {text}")])
                    }
                }
            })
            .buffer_unordered(self.fleet.parallel)
            .filter_map(std::future::ready)
            .concat()
            .await;
        Outcome::RolledBack { failures, left }
    }

    /// Writes down the release on every host that is done, and drops what was kept for a rollback.
    async fn commit(&self) {
        stream::iter(&self.hosts)
            .map(|(host, run)| async move {
                if self.failed.lock().await.contains_key(host) {
                    return;
                }
                let mut run = run.lock().await;
                let release = Release {
                    id: self.order.release.clone(),
                    at_unix_ms: now_unix_ms(),
                    by: self.order.owner.who.clone(),
                    desired: self.order.desired.get(host).cloned().unwrap_or_default(),
                };
                run.state.add(release);
                let target = run.target.clone();
                let done = async {
                    // In this order: once the journal is gone nothing refers to the old containers any more.
                    State(&target).write(&run.state).await?;
                    Journal::remove(&target).await?;
                    drop_kept(&target).await
                };
                if let Err(error) = done.await {
                    self.failed.lock().await.insert(host.clone(), chain(&error));
                }
            })
            .buffer_unordered(self.fleet.parallel)
            .collect::<()>()
            .await;
    }

    async fn ended(&self) -> Outcome {
        let failures = self.failures().await;
        if self.stop.is_cancelled() && !failures.is_empty() {
            Outcome::Stopped
        } else if failures.is_empty() {
            Outcome::Done
        } else {
            Outcome::Partly { failures }
        }
    }
}

/// Milliseconds since 1970 by the clock of this machine.
fn now_unix_ms() -> u64 {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Where the hosts' keys are minted, when the project has such a secret.
fn server(fleet: &Fleet, project: &Project, order: &Order) -> Option<Server> {
    let (service, port) = project.files.values().find_map(|source| match source {
        FileSource::Enrolment { server, port } => Some((server, *port)),
        _ => None,
    })?;
    let (host, container) = order.desired.iter().find_map(|(host, desired)| {
        let container = desired
            .containers
            .iter()
            .find(|container| container.service == *service)?;
        Some((host, container.name.clone()))
    })?;
    let target = fleet.targets.get(host)?.clone();
    Some(Server {
        target,
        container,
        port,
        account_file: order.account_file.clone(),
    })
}

/// The hosts in batches. With a percentage the first host goes alone: the canary.
fn batches(hosts: &[String], parallelism: Parallelism) -> Vec<&[String]> {
    let size = parallelism.of(hosts.len());
    match (parallelism, hosts) {
        (Parallelism::Percent(percent), [_, _, ..]) if percent < 100 => {
            let (canary, rest) = hosts.split_at(1);
            std::iter::once(canary).chain(rest.chunks(size)).collect()
        }
        _ => hosts.chunks(size).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_sends_one_host_ahead() {
        let hosts: Vec<String> = (0..9).map(|number| number.to_string()).collect();
        let sizes = |parallelism| {
            batches(&hosts, parallelism)
                .iter()
                .map(|batch| batch.len())
                .collect::<Vec<_>>()
        };
        assert_eq!(sizes(Parallelism::Percent(50)), [1, 5, 3]);
        assert_eq!(sizes(Parallelism::Hosts(4)), [4, 4, 1]);
        assert_eq!(sizes(Parallelism::All), [9]);
    }
}
