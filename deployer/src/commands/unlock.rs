//! `deployer unlock`.

use super::scene::{Scene, all_reachable};
use crate::{
    cli::ProjectArgs,
    error::{Exit, Failure},
    execute::break_lock,
    printer::Printer,
};

/// Removes the lock, whoever holds it.
///
/// # Errors
///
/// When a host does not answer.
pub async fn run(arguments: &ProjectArgs, printer: &Printer) -> Result<Exit, Failure> {
    let scene = Scene::load(arguments)?;
    let fleet = scene.connect(&arguments.hosts.only).await?;
    all_reachable(&fleet)?;
    for (host, outcome) in fleet.each(break_lock).await {
        outcome.map_err(|error| error.into_failure(&host, "remove the lock"))?;
        printer.say(&format!("{host}: no lock"));
    }
    fleet.close().await;
    Ok(Exit::Done)
}
