//! Removes what a lab is made of, found by its label: also what is left of one that never came up.

use super::{
    error::LabError,
    folder::Folder,
    names::{FOLDER_LABEL, LAB_LABEL},
    session::Session,
};
use crate::{
    containers::EngineError,
    progress::{Progress, Task, Unit},
};

/// Takes the lab down. Returns how many containers, networks and volumes were removed.
pub(super) async fn down(session: &Session, progress: &dyn Progress) -> Result<usize, LabError> {
    let engine = session.engine();
    let name = session.name.as_str();
    let hosts = session.hosts().await?;
    let networks = engine.networks().await?;
    let own: Vec<_> = networks
        .iter()
        .filter(|network| network.labels.get(LAB_LABEL).is_some_and(|lab| lab == name))
        .collect();
    // The folder that the lab was made with, wherever `down` is called from.
    let labels = hosts
        .first()
        .map(|host| &host.machine.labels)
        .or(own.first().map(|network| &network.labels));
    let folder = labels
        .and_then(|labels| labels.get(FOLDER_LABEL))
        .map_or_else(|| session.folder.clone(), |path| Folder::at(path));

    let total = u64::try_from(hosts.len()).ok();
    let task = Task::counted(
        progress,
        "hosts",
        &format!("removing {}", hosts.len()),
        total,
        Unit::Items,
    );
    let mut removed = 0;
    for host in &hosts {
        // One after the other: an engine that removes many at once trips over its own locks.
        present(engine.remove_machine(&host.machine.name).await)?;
        removed += 1;
        task.advance(removed);
    }
    let volumes = engine.volumes_with(LAB_LABEL, name).await?;
    for volume in &volumes {
        present(engine.remove_volume(volume).await)?;
    }
    for network in &own {
        present(engine.remove_network(&network.name).await)?;
    }
    task.done("removed");
    folder.remove()?;
    Ok(hosts.len() + volumes.len() + own.len())
}

/// Something that is gone already need not be removed.
fn present(result: Result<(), EngineError>) -> Result<(), EngineError> {
    match result {
        Err(error) if error.is_missing() => Ok(()),
        other => other,
    }
}
