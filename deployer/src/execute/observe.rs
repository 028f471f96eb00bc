//! Looking at a host: one listing by the engine and one script, side by side.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    error::HostError,
    journal::Journal,
    state::HostState,
    target::{Target, within},
};
use crate::{
    containers::{LABEL_HASH, LABEL_RELEASE, LABEL_SERVICE, Listed},
    firewall::{self, FirewallState},
    inventory::EngineKind,
    plan::{DesiredHost, ObservedContainer, ObservedHost},
};

/// Parts the answers of the script; no line of any of them.
pub(super) const SEPARATOR: &str = "---deployer-part---";

/// What a host looks like.
#[derive(Debug, Clone, Default)]
pub struct Sight {
    /// For the plan.
    pub observed: ObservedHost,
    /// What is remembered there.
    pub state: HostState,
    /// The journal of an unfinished rollout.
    pub journal: Option<Journal>,
    /// Containers that are kept for a rollback of an unfinished rollout.
    pub kept: Vec<String>,
}

/// The mark in the name of a container that was replaced and is kept until the rollout is done.
pub(super) const KEPT: &str = ".before-";

/// Looks at a host. The firewall is asked only where `desired` or what we remember has to do with it.
///
/// # Errors
///
/// When the host or its engine does not answer.
pub async fn observe(target: &Target, desired: &DesiredHost, no_firewall: bool) -> Result<Sight, HostError> {
    let deadline = target.settings.step_timeout;
    let looking = async {
        let listing = async { Ok(target.engine.containers(&target.project).await?) };
        let (listed, mut sight) = tokio::try_join!(listing, script(target, desired, no_firewall))?;
        for container in listed {
            if container.name.contains(KEPT) {
                sight.kept.push(container.name);
            } else {
                sight
                    .observed
                    .containers
                    .insert(container.name.clone(), observed(container));
            }
        }
        things(target, desired, &mut sight.observed).await?;
        Ok(sight)
    };
    within(deadline, "look at the host", looking).await
}

fn observed(container: Listed) -> ObservedContainer {
    let label = |name: &str| container.labels.get(name).cloned().unwrap_or_default();
    ObservedContainer {
        service: label(LABEL_SERVICE),
        hash: label(LABEL_HASH),
        release: label(LABEL_RELEASE),
        id: container.id,
        image_id: container.image_id,
        state: container.state,
        status: container.status,
    }
}

async fn script(target: &Target, desired: &DesiredHost, no_firewall: bool) -> Result<Sight, HostError> {
    let sudo = target.sudo();
    let folder = target.folder();
    // The firewall takes most of the time, so it is asked only when there is something to ask about.
    let ask = match (no_firewall, desired.ports.is_empty()) {
        (true, _) => "echo not-asked\n".to_owned(),
        (false, false) => firewall::query(sudo, SEPARATOR),
        (false, true) => format!(
            "if grep -q '\"zone\"' {folder}/state.json 2>/dev/null; then\n{}\nelse echo not-asked; fi\n",
            firewall::query(sudo, SEPARATOR)
        ),
    };
    let unit = match target.host().engine {
        EngineKind::Podman => "systemctl is-enabled podman-restart.service 2>/dev/null",
        EngineKind::PodmanRootless => "systemctl --user is-enabled podman-restart.service 2>/dev/null",
        EngineKind::Docker => "echo none",
    };
    let script = format!(
        "cat {folder}/state.json 2>/dev/null\necho; echo '{SEPARATOR}'\ncat {folder}/journal.json 2>/dev/null\necho; \
         echo '{SEPARATOR}'\nls {folder}/files 2>/dev/null\necho '{SEPARATOR}'\n{unit}\necho '{SEPARATOR}'\n{ask}"
    );
    let output = target
        .session()
        .exec(&script, b"", target.settings.step_timeout)
        .await?;
    let text = output.text();
    let mut parts = text.split(SEPARATOR).map(str::trim);
    let mut next = || parts.next().unwrap_or_default();
    let (state, journal, files, boot) = (next(), next(), next(), next());
    let (runtime, permanent) = (next(), next());
    let state: HostState = json("state.json", state)?.unwrap_or_default();
    let journal = json("journal.json", journal)?;
    let boot = match boot {
        "enabled" => Some(true),
        "disabled" => Some(false),
        _ => None,
    };
    let observed = ObservedHost {
        files: files.split_whitespace().map(str::to_owned).collect(),
        firewall: firewall_state(runtime, permanent),
        opened: state.opened.clone(),
        boot,
        ..ObservedHost::default()
    };
    Ok(Sight {
        observed,
        state,
        journal,
        kept: Vec::new(),
    })
}

fn json<T: serde::de::DeserializeOwned>(name: &str, text: &str) -> Result<Option<T>, HostError> {
    if text.is_empty() {
        return Ok(None);
    }
    serde_json::from_str(text)
        .map(Some)
        .map_err(|source| HostError::State {
            name: name.to_owned(),
            source,
        })
}

pub(super) fn firewall_state(runtime: &str, permanent: &str) -> FirewallState {
    match runtime {
        "absent" => FirewallState::Absent,
        "not-asked" | "" => FirewallState::NotAsked,
        _ => match (
            firewall::parse_listing(runtime),
            firewall::parse_listing(permanent),
        ) {
            (Some((zone, runtime)), Some((_, permanent))) if !zone.contains(':') => FirewallState::On {
                zone,
                runtime,
                permanent,
            },
            _ => FirewallState::Unreadable {
                reason: runtime.lines().next().unwrap_or_default().to_owned(),
            },
        },
    }
}

/// Images, networks and volumes: asked for only where a container is missing or different, so that a host with nothing
/// to do costs no further question.
async fn things(
    target: &Target,
    desired: &DesiredHost,
    observed: &mut ObservedHost,
) -> Result<(), HostError> {
    let changed = desired.containers.iter().filter(|container| {
        observed
            .containers
            .get(&container.name)
            .is_none_or(|old| !container.is(old))
    });
    let wanted: BTreeSet<&str> = changed
        .map(|container| container.image_id.as_deref().unwrap_or(&container.spec.image))
        .collect();
    let engine = &target.engine;
    if wanted.is_empty() {
        observed.networks.clone_from(&desired.networks);
        observed.volumes.clone_from(&desired.volumes);
        return Ok(());
    }
    let mut images = BTreeMap::new();
    for image in wanted {
        if let Some(id) = engine.image_id(image).await? {
            images.insert(image.to_owned(), id);
        }
    }
    observed.images = images;
    observed.networks = engine
        .project_networks(&target.project)
        .await?
        .into_iter()
        .collect();
    observed.volumes = engine
        .project_volumes(&target.project)
        .await?
        .into_iter()
        .collect();
    Ok(())
}
