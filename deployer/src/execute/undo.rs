//! Putting a host back: the journal read from its end.

use super::{
    error::HostError,
    journal::{Journal, Undo},
    observe::KEPT,
    state::{HostState, State},
    target::{Target, within},
};
use crate::{firewall, inventory::EngineKind, remote::quote};

/// Undoes all that a journal has, the newest change first, and removes the journal. What cannot be undone is said and
/// does not hold up the rest.
///
/// # Errors
///
/// When the journal or the state cannot be read or written.
pub async fn undo_all(target: &Target, journal: &Journal) -> Result<Vec<String>, HostError> {
    let mut left = Vec::new();
    let mut state = State(target).read().await?;
    for undo in journal.undo.iter().rev() {
        let undone = within(
            target.settings.step_timeout,
            "put something back",
            one(target, undo, &mut state),
        );
        if let Err(error) = undone.await {
            left.push(format!("{}: {}", target.name(), error.with_cure(target.name())));
        }
    }
    if left.is_empty() {
        if state == HostState::default() {
            State(target).remove_file("state.json").await?;
        } else {
            State(target).write(&state).await?;
        }
        Journal::remove(target).await?;
    }
    Ok(left)
}

async fn one(target: &Target, undo: &Undo, state: &mut HostState) -> Result<(), HostError> {
    let engine = &target.engine;
    match undo {
        Undo::RemoveContainer { name } => engine.remove_container(name).await?,
        Undo::RestoreContainer {
            name,
            kept_as,
            was_running,
        } => {
            let there = engine.containers(&target.project).await?;
            // Cut off between the entry and the renaming, the old container still has its name.
            if there.iter().any(|container| container.name == *kept_as) {
                engine.remove_container(name).await?;
                engine.rename_container(kept_as, name).await?;
            }
            if *was_running {
                engine.start_container(name).await?;
            }
        }
        Undo::StopContainer { name } => engine.stop_container(name, None).await?,
        Undo::ClosePorts {
            zone,
            rules,
            permanent,
        } => {
            let command = firewall::change(target.sudo(), zone, "remove", rules, *permanent);
            target.shell(&command, b"").await?;
            for opened in state
                .opened
                .iter_mut()
                .filter(|opened| rules.contains(&opened.rule))
            {
                if *permanent {
                    opened.permanent = false
                } else {
                    opened.runtime = false
                }
            }
            state.opened.retain(|opened| opened.runtime || opened.permanent);
        }
        Undo::DisableBoot => {
            boot(target, false).await?;
            state.boot_enabled = false;
        }
        Undo::RemoveNetwork { name } => engine.remove_project_network(name).await?,
        Undo::RemoveVolume { name } => engine.remove_project_volume(name).await?,
        Undo::RemoveImage { image } => {
            match engine.remove_image(image).await {
                // Somebody else's container uses it by now; then it is theirs.
                Err(error) if error.is_in_use() => {}
                removed => removed?,
            }
            state.shipped.retain(|shipped| shipped != image);
        }
        Undo::RemoveFile { name } => State(target).remove_file(&format!("files/{name}")).await?,
    }
    Ok(())
}

/// Has containers with `restart: always` start after a reboot, or not.
pub(super) async fn boot(target: &Target, enable: bool) -> Result<(), HostError> {
    let verb = if enable { "enable" } else { "disable" };
    let command = match target.host().engine {
        EngineKind::Podman => format!("{}systemctl {verb} podman-restart.service", target.sudo()),
        EngineKind::PodmanRootless => format!("systemctl --user {verb} podman-restart.service"),
        EngineKind::Docker => return Ok(()),
    };
    target.shell(&command, b"").await?;
    Ok(())
}

/// Removes what a finished rollout kept for a rollback.
pub(super) async fn drop_kept(target: &Target) -> Result<(), HostError> {
    for container in target.engine.containers(&target.project).await? {
        if container.name.contains(KEPT) {
            target.engine.remove_container(&container.name).await?;
        }
    }
    Ok(())
}

/// The path of a secret or config on the host, whose home folder only the host knows.
pub(super) async fn file_path(target: &Target, name: &str) -> Result<String, HostError> {
    let command = format!("printf %s {}/files/{}", target.folder(), quote(name));
    Ok(target.shell(&command, b"").await?.text())
}
