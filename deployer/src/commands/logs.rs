//! `deployer logs`.

use futures_util::TryStreamExt as _;

use super::scene::{Scene, say_unreachable};
use crate::{
    cli::ProjectArgs,
    error::{Exit, Failure},
    execute::{HostError, Target},
    printer::Printer,
};

/// Shows what containers wrote, each line behind its host and service.
///
/// # Errors
///
/// When a file is wrong, or a host cannot be asked.
pub async fn run(
    arguments: &ProjectArgs,
    services: &[String],
    tail: u32,
    follow: bool,
    printer: &Printer,
) -> Result<Exit, Failure> {
    let scene = Scene::load(arguments)?;
    let fleet = scene.connect(&arguments.hosts.only).await?;
    say_unreachable(&fleet, printer);
    let work = fleet.each(|target| one_host(target, services, tail, follow, printer));
    // Following ends by Ctrl-C; nothing is left behind by it.
    let done = tokio::select! {
        done = work => done,
        _ = tokio::signal::ctrl_c() => return Ok(Exit::Interrupted),
    };
    for (host, outcome) in done {
        outcome.map_err(|error| error.into_failure(&host, "show its logs"))?;
    }
    Ok(Exit::Done)
}

/// Nothing else runs on these connections, and every body is read to its end, so none stalls another.
async fn one_host(
    target: &Target,
    services: &[String],
    tail: u32,
    follow: bool,
    printer: &Printer,
) -> Result<(), HostError> {
    let containers = target.engine.containers(&target.project).await?;
    let chosen = containers.into_iter().filter_map(|container| {
        let service = container.labels.get(crate::containers::LABEL_SERVICE)?.clone();
        (services.is_empty() || services.contains(&service)).then_some((container.name, service))
    });
    let each = chosen.map(|(name, service)| async move {
        let lines = target.engine.logs(&name, Some(tail), follow);
        let prefix = format!("{} {service} |", target.name());
        lines
            .try_for_each(|line| {
                printer.data(&format!("{prefix} {}", line.text));
                std::future::ready(Ok(()))
            })
            .await
    });
    futures_util::future::try_join_all(each).await?;
    Ok(())
}
