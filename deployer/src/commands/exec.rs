//! `deployer exec SERVICE COMMAND…`.

use super::scene::{Scene, all_reachable};
use crate::{
    cli::ProjectArgs,
    containers::{Exec, LABEL_SERVICE, Stream},
    error::{Exit, Failure},
    execute::HostError,
    printer::Printer,
};

/// Runs a command in every container of a service.
///
/// # Errors
///
/// When no container of that service runs, or the command ends with another status than 0 in one of them.
pub async fn run(
    arguments: &ProjectArgs,
    service: &str,
    words: &[String],
    printer: &Printer,
) -> Result<Exit, Failure> {
    let scene = Scene::load(arguments)?;
    let fleet = scene.connect(&arguments.hosts.only).await?;
    all_reachable(&fleet)?;
    let done = fleet
        .each(|target| async move {
            let mut results: Vec<Exec> = Vec::new();
            for container in target.engine.containers(&target.project).await? {
                if container
                    .labels
                    .get(LABEL_SERVICE)
                    .is_some_and(|label| label == service)
                {
                    results.push(target.engine.exec(&container.name, words).await?);
                }
            }
            Ok::<_, HostError>(results)
        })
        .await;
    fleet.close().await;
    let (mut ran, mut failed) = (false, false);
    for (host, results) in done {
        for result in results.map_err(|error| error.into_failure(&host, "run the command"))? {
            ran = true;
            failed |= result.status != Some(0);
            for line in result.lines {
                match line.stream {
                    Stream::Out => printer.data(&format!("{host} | {}", line.text)),
                    Stream::Err => printer.note(&format!("{host} | {}", line.text)),
                }
            }
        }
    }
    if !ran {
        return Err(Failure::new(format!(
            "no container of service `{service}` is on these hosts"
        )));
    }
    Ok(if failed { Exit::Failed } else { Exit::Done })
}
