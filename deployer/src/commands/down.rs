//! `deployer down`.

use super::scene::{Scene, all_reachable};
use crate::{
    cli::ProjectArgs,
    error::{Exit, Failure},
    execute::{Lock, Owner, take_down},
    printer::Printer,
};

/// Removes all that rollouts have put on the hosts, and nothing else.
///
/// # Errors
///
/// When a host does not answer or something cannot be removed.
pub async fn run(arguments: &ProjectArgs, volumes: bool, printer: &Printer) -> Result<Exit, Failure> {
    let scene = Scene::load(arguments)?;
    let fleet = scene.connect(&arguments.hosts.only).await?;
    all_reachable(&fleet)?;
    let lock = Lock::take(&fleet, Owner::this_process("down"), |line| printer.note(line))
        .await
        .map_err(|error| Failure::because("the lock cannot be taken", &error).exit(Exit::Locked))?;
    let done = fleet.each(|target| take_down(target, volumes)).await;
    // The lock went with the folder that it lies in; this ends its renewal.
    lock.release().await;
    fleet.close().await;
    let mut failure = Failure::new("not everything could be removed");
    for (host, outcome) in done {
        match outcome {
            Ok(removed) => printer.say(&format!("{host}: {removed}")),
            Err(error) => failure.causes.extend(
                Failure::because(String::new(), &error)
                    .causes
                    .into_iter()
                    .map(|cause| format!("{host}: {cause}")),
            ),
        }
    }
    if failure.causes.is_empty() {
        Ok(Exit::Done)
    } else {
        Err(failure)
    }
}
