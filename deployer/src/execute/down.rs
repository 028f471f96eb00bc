//! Taking everything away again.

use std::collections::BTreeMap;

use super::{
    error::HostError,
    state::{HostState, State},
    target::{Target, within},
    undo::boot,
};
use crate::firewall;

/// Removes the project's containers, networks, shipped images, opened ports and, if `volumes`, its data. Returns what
/// was removed, as a fragment.
///
/// # Errors
///
/// When the host does not answer or something cannot be removed.
pub async fn take_down(target: &Target, volumes: bool) -> Result<String, HostError> {
    within(
        target.settings.step_timeout * 2,
        "take everything down",
        remove(target, volumes),
    )
    .await
}

async fn remove(target: &Target, volumes: bool) -> Result<String, HostError> {
    let (engine, project) = (&target.engine, target.project.as_str());
    let state = State(target).read().await?;
    let containers = engine.containers(project).await?;
    for container in &containers {
        engine.stop_container(&container.name, None).await?;
        engine.remove_container(&container.name).await?;
    }
    for network in engine.project_networks(project).await? {
        engine.remove_project_network(&network).await?;
    }
    let kept = engine.project_volumes(project).await?;
    if volumes {
        for volume in &kept {
            engine.remove_project_volume(volume).await?;
        }
    }
    close_ports(target, &state).await?;
    if state.boot_enabled {
        boot(target, false).await?;
    }
    for image in &state.shipped {
        // Somebody else's container may use it by now; then it is theirs.
        if let Err(error) = engine.remove_image(image).await {
            tracing::info!(host = target.name(), image, %error, "the image stays");
        }
    }
    State(target).forget().await?;
    let data = match (volumes, kept.len()) {
        (_, 0) => String::new(),
        (true, count) => format!(", {count} volume(s)"),
        (false, count) => format!("; {count} volume(s) stay, `--volumes` removes them"),
    };
    Ok(format!("removed {} container(s){data}", containers.len()))
}

async fn close_ports(target: &Target, state: &HostState) -> Result<(), HostError> {
    let mut zones: BTreeMap<(&str, bool), Vec<_>> = BTreeMap::new();
    for opened in state
        .opened
        .iter()
        .filter(|opened| opened.rule.port != target.host().port)
    {
        for (ours, permanent) in [(opened.runtime, false), (opened.permanent, true)] {
            if ours {
                zones
                    .entry((&opened.zone, permanent))
                    .or_default()
                    .push(opened.rule.clone());
            }
        }
    }
    for ((zone, permanent), rules) in zones {
        let command = firewall::change(target.sudo(), zone, "remove", &rules, permanent);
        target.shell(&command, b"").await?;
    }
    Ok(())
}
