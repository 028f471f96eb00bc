//! Doing one step on one host, after its undoing is in the journal.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use super::{
    enrolment,
    error::HostError,
    health::gate,
    journal::{Journal, Undo},
    layers::Pieces,
    local::LocalImages,
    observe::KEPT,
    state::{HostState, State},
    target::{Target, within},
    undo::{boot, file_path},
};
use crate::{
    compose::Order,
    containers::{LABEL_HASH, LABEL_PROJECT, LABEL_RELEASE, LABEL_SERVICE, NewContainer},
    firewall::{self, Opened, PortRule},
    plan::{Action, DesiredContainer, DesiredFile, Step},
    progress::Progress,
};

/// A transfer has no deadline of its own but this: 1 GB over a slow line.
const SHIP_DEADLINE: Duration = Duration::from_secs(900);

/// One host in the middle of a rollout.
pub(super) struct HostRun {
    pub(super) target: Target,
    pub(super) journal: Journal,
    pub(super) state: HostState,
}

/// What all hosts of a rollout share.
pub(super) struct Shared {
    pub(super) release: String,
    pub(super) images: LocalImages,
    pub(super) pieces: Pieces,
    pub(super) contents: BTreeMap<String, (Vec<u8>, String)>,
    pub(super) monitors: BTreeMap<String, Duration>,
    pub(super) progress: Arc<dyn Progress>,
    pub(super) stop: CancellationToken,
    pub(super) enrolment: Option<enrolment::Server>,
}

impl HostRun {
    /// Does a step under its deadline.
    pub(super) async fn apply(&mut self, step: &Step, shared: &Shared) -> Result<(), HostError> {
        let settings = &self.target.settings;
        let deadline = match step.action {
            Action::ShipImage { .. } => SHIP_DEADLINE,
            Action::Create { .. } | Action::Replace { .. } | Action::Start { .. } | Action::Await { .. } => {
                settings.step_timeout + settings.health_timeout
            }
            _ => settings.step_timeout,
        };
        let doing = step.action.sentence();
        within(deadline, &doing, Box::pin(self.perform(&step.action, shared))).await
    }

    async fn perform(&mut self, action: &Action, shared: &Shared) -> Result<(), HostError> {
        let target = self.target.clone();
        match action {
            Action::ShipImage { image, id } => self.ship(image, id.as_deref(), shared).await,
            Action::WriteFile(file) => {
                let Some((content, _)) = shared.contents.get(&file.source) else {
                    let source = std::io::Error::from(std::io::ErrorKind::NotFound);
                    return Err(HostError::Content {
                        name: file.source.clone(),
                        source,
                    });
                };
                self.journal
                    .record(
                        &target,
                        Undo::RemoveFile {
                            name: file.name.clone(),
                        },
                    )
                    .await?;
                State(&target)
                    .write_file(&format!("files/{}", file.name), content, &mode_of(file))
                    .await
            }
            Action::Enrol(file) => {
                let Some(server) = &shared.enrolment else {
                    return Err(HostError::Enrolment {
                        reason: "no server of this project can be reached".to_owned(),
                    });
                };
                let key = server.mint(target.name()).await?;
                self.journal
                    .record(
                        &target,
                        Undo::RemoveFile {
                            name: file.name.clone(),
                        },
                    )
                    .await?;
                State(&target)
                    .write_file(&format!("files/{}", file.name), key.as_bytes(), &mode_of(file))
                    .await
            }
            Action::CreateNetwork { name } => {
                self.journal
                    .record(&target, Undo::RemoveNetwork { name: name.clone() })
                    .await?;
                Ok(target
                    .engine
                    .create_project_network(name, &target.project)
                    .await?)
            }
            Action::CreateVolume { name } => {
                self.journal
                    .record(&target, Undo::RemoveVolume { name: name.clone() })
                    .await?;
                Ok(target.engine.create_project_volume(name, &target.project).await?)
            }
            Action::OpenPorts {
                zone,
                rules,
                permanent,
            } => self.open(zone, rules, *permanent).await,
            Action::ClosePorts {
                zone,
                rules,
                permanent,
            } => self.close(zone, rules, *permanent).await,
            Action::EnableBoot => {
                self.journal.record(&target, Undo::DisableBoot).await?;
                boot(&target, true).await?;
                self.state.boot_enabled = true;
                State(&target).write(&self.state).await
            }
            Action::Create { container } => {
                let name = container.name.clone();
                self.journal
                    .record(&target, Undo::RemoveContainer { name })
                    .await?;
                // What a cut-off try has left of it.
                target.engine.remove_container(&container.name).await?;
                self.make(container, shared).await?;
                self.start_and_wait(container, shared).await
            }
            Action::Replace { container, order } => self.replace(container, *order, shared).await,
            Action::Start { container } => {
                let name = container.name.clone();
                self.journal.record(&target, Undo::StopContainer { name }).await?;
                self.start_and_wait(container, shared).await
            }
            Action::Await { container } => self.wait(container, shared).await,
            Action::Remove { name } => {
                target.engine.stop_container(name, None).await?;
                Ok(target.engine.remove_container(name).await?)
            }
        }
    }

    pub(super) async fn open(
        &mut self,
        zone: &str,
        rules: &[PortRule],
        permanent: bool,
    ) -> Result<(), HostError> {
        let target = self.target.clone();
        let undo = Undo::ClosePorts {
            zone: zone.to_owned(),
            rules: rules.to_vec(),
            permanent,
        };
        self.journal.record(&target, undo).await?;
        for rule in rules {
            let known = self
                .state
                .opened
                .iter_mut()
                .find(|opened| opened.zone == zone && opened.rule == *rule);
            match known {
                Some(opened) if permanent => opened.permanent = true,
                Some(opened) => opened.runtime = true,
                None => self.state.opened.push(Opened {
                    zone: zone.to_owned(),
                    rule: rule.clone(),
                    runtime: !permanent,
                    permanent,
                }),
            }
        }
        // Remembered first: a port that is open must never be forgotten.
        State(&target).write(&self.state).await?;
        target
            .shell(
                &firewall::change(target.sudo(), zone, "add", rules, permanent),
                b"",
            )
            .await?;
        Ok(())
    }

    pub(super) async fn close(
        &mut self,
        zone: &str,
        rules: &[PortRule],
        permanent: bool,
    ) -> Result<(), HostError> {
        let target = self.target.clone();
        target
            .shell(
                &firewall::change(target.sudo(), zone, "remove", rules, permanent),
                b"",
            )
            .await?;
        for opened in self
            .state
            .opened
            .iter_mut()
            .filter(|opened| rules.contains(&opened.rule))
        {
            if permanent {
                opened.permanent = false
            } else {
                opened.runtime = false
            }
        }
        self.state
            .opened
            .retain(|opened| opened.runtime || opened.permanent);
        State(&target).write(&self.state).await
    }

    async fn make(&self, container: &DesiredContainer, shared: &Shared) -> Result<(), HostError> {
        let target = &self.target;
        let mut files = Vec::new();
        for file in &container.spec.files {
            let path = file_path(target, &file.stored_as()).await?;
            files.push((path, file.target.clone()));
        }
        // By id, so that a name that was given to another image meanwhile does no harm.
        let image = match &container.image_id {
            Some(id) if target.engine.image_id(id).await?.is_some() => id,
            _ => &container.spec.image,
        };
        let labels = [
            (LABEL_PROJECT, target.project.as_str()),
            (LABEL_SERVICE, container.service.as_str()),
            (LABEL_HASH, container.hash.as_str()),
            (LABEL_RELEASE, shared.release.as_str()),
        ];
        let new = NewContainer {
            name: &container.name,
            spec: &container.spec,
            image,
            labels: &labels,
            files: &files,
        };
        Ok(target.engine.create_container(new).await?)
    }

    async fn start_and_wait(&self, container: &DesiredContainer, shared: &Shared) -> Result<(), HostError> {
        self.target.engine.start_container(&container.name).await?;
        self.wait(container, shared).await
    }

    /// The health gate.
    async fn wait(&self, container: &DesiredContainer, shared: &Shared) -> Result<(), HostError> {
        let monitor = shared
            .monitors
            .get(&container.service)
            .copied()
            .unwrap_or_default();
        gate(&self.target, container, monitor, &shared.stop).await?;
        match &shared.enrolment {
            Some(server) if server.hears(container) => {
                let deadline = self.target.settings.health_timeout;
                let seen = server.has_fresh_sample(&self.target, deadline, shared.progress.as_ref());
                shared
                    .stop
                    .run_until_cancelled(seen)
                    .await
                    .unwrap_or(Err(HostError::Stopped))
            }
            _ => Ok(()),
        }
    }

    async fn replace(
        &mut self,
        container: &DesiredContainer,
        order: Order,
        shared: &Shared,
    ) -> Result<(), HostError> {
        let target = self.target.clone();
        let engine = &target.engine;
        let name = &container.name;
        let kept_as = format!("{name}{KEPT}{}", shared.release);
        let there = engine.containers(&target.project).await?;
        let of = |name: &str| there.iter().find(|container| container.name == name);
        if of(&kept_as).is_none() {
            let was_running = of(name).is_some_and(|old| old.state == "running");
            let undo = Undo::RestoreContainer {
                name: name.clone(),
                kept_as: kept_as.clone(),
                was_running,
            };
            self.journal.record(&target, undo).await?;
            if order == Order::StopFirst {
                engine
                    .stop_container(name, container.spec.stop_grace_seconds)
                    .await?;
            }
            engine.rename_container(name, &kept_as).await?;
        } else {
            // Cut off after the renaming: what has the name now is half a new one.
            engine.remove_container(name).await?;
        }
        self.make(container, shared).await?;
        self.start_and_wait(container, shared).await?;
        if order == Order::StartFirst {
            engine
                .stop_container(&kept_as, container.spec.stop_grace_seconds)
                .await?;
        }
        Ok(())
    }
}

pub(super) fn mode_of(file: &DesiredFile) -> String {
    file.mode
        .map_or_else(|| FILE_MODE.to_owned(), |mode| format!("{mode:o}"))
}

/// Readable for the user of a container, whoever that is; the folder above is closed to the users of the host.
const FILE_MODE: &str = "444";
