//! A rollout: prepare every host, then service after service in batches, then clean up; or back to where it was.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use futures_util::{StreamExt as _, stream};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::{
    apply::{HostRun, Shared},
    batches::batches,
    enrolment::Server,
    error::{HostError, Outcome},
    journal::Journal,
    layers::Pieces,
    lease::Lease,
    local::LocalImages,
    lock::Owner,
    observe::Sight,
    target::{Fleet, Target, chain},
};
use crate::{
    clock::now_unix_ms,
    compose::{FailureAction, FileSource, Project, Update},
    plan::{DesiredHost, Plan, Stage, Step},
    progress::{Progress, Task},
};

/// How long a connection may take to be known as ended after the first stream inside it has.
const ENDING: Duration = Duration::from_secs(2);
/// How often it is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);

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
    /// What a person calls it: `rollout` or `rollback`.
    pub verb: &'static str,
    /// The project's name.
    pub project: String,
    /// The lock that this rollout runs under.
    pub lease: Arc<Lease>,
}

/// Why a host is left out of the rest.
pub(super) struct Failed {
    reason: String,
    stage: Stage,
}

/// A rollout that runs.
pub struct Rollout<'a> {
    pub(super) fleet: &'a Fleet,
    pub(super) hosts: BTreeMap<String, Mutex<HostRun>>,
    pub(super) order: Order,
    pub(super) shared: Shared,
    pub(super) progress: Arc<dyn Progress>,
    stop: CancellationToken,
    pub(super) failed: Mutex<BTreeMap<String, Failed>>,
    /// Hosts with the journal of a rollout that was cut off.
    begun: BTreeSet<String>,
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
        let begun = sights
            .iter()
            .filter(|(_, sight)| sight.journal.is_some())
            .map(|(host, _)| host.clone())
            .collect();
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
            pieces: Pieces::default(),
            contents: order.contents.clone(),
            monitors: order
                .updates
                .iter()
                .map(|(name, update)| (name.clone(), update.monitor))
                .collect(),
            progress: Arc::clone(&progress),
            stop: stop.clone(),
            enrolment: server(fleet, project, &order.desired, &order.account_file),
        };
        Self {
            fleet,
            hosts,
            order,
            shared,
            progress,
            stop,
            failed: Mutex::default(),
            begun,
        }
    }

    /// Does all steps, and tells the project's server how it ended.
    ///
    /// # Errors
    ///
    /// Only when a journal cannot be written at all; everything later is an outcome.
    pub async fn run(self) -> Result<Outcome, HostError> {
        let started_unix_ms = now_unix_ms();
        let outcome = self.all_steps().await?;
        self.tell(&outcome, started_unix_ms).await;
        Ok(outcome)
    }

    async fn all_steps(&self) -> Result<Outcome, HostError> {
        for host in self.touched() {
            if let Some(run) = self.hosts.get(&host) {
                let run = run.lock().await;
                run.journal.write(&run.target).await?;
            }
        }
        let names: Vec<String> = self.hosts.keys().cloned().collect();
        self.batch(&names, &Stage::Prepare, self.fleet.parallel).await;
        if let Some(outcome) = self.verdict(&Stage::Prepare, &Update::default()).await {
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
                    return Ok(self.stopped().await);
                }
                self.batch(batch, &stage, self.fleet.parallel).await;
                if let Some(outcome) = self.verdict(&stage, update).await {
                    return Ok(outcome);
                }
            }
        }
        self.batch(&names, &Stage::Clean, self.fleet.parallel).await;
        if self.is_to_stop() {
            return Ok(self.stopped().await);
        }
        self.commit().await;
        Ok(self.ended().await)
    }

    /// The hosts with something to do, or with something done before this rollout was cut off.
    pub(super) fn touched(&self) -> BTreeSet<String> {
        let steps = self.order.plan.steps.iter().map(|step| step.host.clone());
        steps.chain(self.begun.iter().cloned()).collect()
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
                    self.fail(host, error.with_cure(host), stage).await;
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
            let done = match self.order.lease.holds(&run.target).await {
                Ok(()) => run.apply(step, &self.shared).await,
                Err(lost) => Err(lost),
            };
            match done {
                Ok(()) => task.done(&sentence),
                Err(HostError::Stopped) => {
                    task.failed("stopped while waiting for its health");
                    return Err(HostError::Stopped);
                }
                Err(error) => {
                    let error = lost_on_the_way(&run.target, error, sentence).await;
                    task.failed(&chain(&error));
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    pub(super) async fn fail(&self, host: &str, reason: String, stage: &Stage) {
        let stage = stage.clone();
        let failed = Failed { reason, stage };
        self.failed.lock().await.insert(host.to_owned(), failed);
    }

    /// Whether to go on after a batch; if not, how the rollout ends.
    async fn verdict(&self, stage: &Stage, update: &Update) -> Option<Outcome> {
        if self.is_to_stop() {
            return Some(self.stopped().await);
        }
        let failed_here = {
            let failed = self.failed.lock().await;
            failed.values().filter(|failed| failed.stage == *stage).count()
        };
        let tasks = self.order.plan.steps.iter();
        let tasks = tasks.filter(|step| step.stage == *stage && step.action.is_task());
        if self.order.keep_going || update.tolerates(failed_here, tasks.count()) {
            return None;
        }
        let failures = self.failures().await;
        match update.failure_action {
            FailureAction::Continue => None,
            FailureAction::Pause => Some(Outcome::Paused { failures }),
            FailureAction::Rollback => Some(self.roll_back(failures).await),
        }
    }

    /// Steps may have been left out then, so that nothing is written down as done.
    fn is_to_stop(&self) -> bool {
        self.order.lease.lost().is_some() || self.stop.is_cancelled()
    }

    async fn stopped(&self) -> Outcome {
        let failures = self.failures().await;
        Outcome::Stopped { failures }
    }

    async fn failures(&self) -> Vec<String> {
        self.failed
            .lock()
            .await
            .iter()
            .map(|(host, failed)| format!("{host}: {}", failed.reason))
            .collect()
    }

    async fn ended(&self) -> Outcome {
        let failures = self.failures().await;
        if self.stop.is_cancelled() && !failures.is_empty() {
            Outcome::Stopped { failures }
        } else if failures.is_empty() {
            Outcome::Done
        } else {
            Outcome::Partly { failures }
        }
    }
}

/// What broke, where the end of the connection explains it better than what it looked like.
async fn lost_on_the_way(target: &Target, error: HostError, doing: String) -> HostError {
    if !error.may_be_a_lost_connection() {
        return error;
    }
    // The streams inside a connection end a moment before the connection says that it has ended.
    let ended = async {
        while !target.session().is_closed() {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    match tokio::time::timeout(ENDING, ended).await {
        Ok(()) => HostError::Lost {
            doing,
            source: Box::new(error),
        },
        Err(_) => error,
    }
}

/// Where the hosts' keys are minted, when the project has such a secret.
pub(super) fn server(
    fleet: &Fleet,
    project: &Project,
    desired: &BTreeMap<String, DesiredHost>,
    account_file: &Path,
) -> Option<Server> {
    server_at(project, account_file, |service| {
        let (host, container) = desired.iter().find_map(|(host, desired)| {
            let container = desired
                .containers
                .iter()
                .find(|container| container.service == *service)?;
            Some((host, container.name.clone()))
        })?;
        Some((fleet.targets.get(host)?.clone(), container))
    })
}

/// The same for a server that `find` knows the host and the container of, by its service.
pub(super) fn server_at(
    project: &Project,
    account_file: &Path,
    find: impl FnOnce(&str) -> Option<(Target, String)>,
) -> Option<Server> {
    let (service, port) = project.files.values().find_map(|source| match source {
        FileSource::Enrolment { server, port } => Some((server, *port)),
        _ => None,
    })?;
    let (target, container) = find(service)?;
    let minted = project.files.iter();
    let minted = minted.filter(|(_, source)| matches!(source, FileSource::Enrolment { .. }));
    Some(Server {
        target,
        container,
        port,
        account_file: account_file.to_owned(),
        secrets: minted.map(|(name, _)| name.clone()).collect(),
        token: tokio::sync::OnceCell::new(),
    })
}
