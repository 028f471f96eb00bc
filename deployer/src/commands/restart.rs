//! `deployer restart [SERVICE…]`.

use super::scene::{Scene, all_reachable};
use crate::{
    cli::ProjectArgs,
    containers::LABEL_SERVICE,
    error::{Exit, Failure},
    execute::{HostError, Lock, Owner, Target},
    printer::Printer,
};

/// Restarts containers, host after host, so that a service of several hosts is never away as a whole.
///
/// # Errors
///
/// When a host does not answer or a container does not start.
pub async fn run(arguments: &ProjectArgs, services: &[String], printer: &Printer) -> Result<Exit, Failure> {
    let scene = Scene::load(arguments)?;
    let fleet = scene.connect(&arguments.hosts.only).await?;
    all_reachable(&fleet)?;
    let lock = Lock::take(&fleet, Owner::this_process("restart"), |line| printer.note(line))
        .await
        .map_err(|error| Failure::because("the lock cannot be taken", &error).exit(Exit::Locked))?;
    let mut outcome = Ok(Exit::Done);
    for target in fleet.targets.values() {
        if let Err(error) = one_host(target, services, printer).await {
            outcome = Err(error.into_failure(target.name(), "restart its containers"));
            break;
        }
    }
    lock.release().await;
    fleet.close().await;
    outcome
}

async fn one_host(target: &Target, services: &[String], printer: &Printer) -> Result<(), HostError> {
    for container in target.engine.containers(&target.project).await? {
        let service = container.labels.get(LABEL_SERVICE).cloned().unwrap_or_default();
        if services.is_empty() || services.contains(&service) {
            target.engine.stop_container(&container.name, None).await?;
            target.engine.start_container(&container.name).await?;
            printer.say(&format!("{}: restarted {}", target.name(), container.name));
        }
    }
    Ok(())
}
