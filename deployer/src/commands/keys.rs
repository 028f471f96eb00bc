//! `deployer keys list` and `deployer keys rotate`.

use std::collections::BTreeMap;

use super::scene::{Scene, all_reachable, desired_of};
use crate::{
    cli::{KeysCommand, ProjectArgs},
    commands::carry_out::time_text,
    error::{Exit, Failure},
    execute::{Fleet, Keys, Lock, Owner},
    plan::DesiredHost,
    printer::Printer,
};

/// Lists the API keys of the hosts, or gives hosts new ones.
///
/// # Errors
///
/// When the server cannot be asked, or a host does not come back with its new key.
pub async fn run(command: &KeysCommand, printer: &Printer) -> Result<Exit, Failure> {
    match command {
        KeysCommand::List { project, json } => list(project, *json, printer).await,
        KeysCommand::Rotate(project) => rotate(project, printer).await,
    }
}

async fn list(arguments: &ProjectArgs, json: bool, printer: &Printer) -> Result<Exit, Failure> {
    let scene = Scene::load(arguments)?;
    let fleet = scene.connect(&[]).await?;
    let server = server(&scene, &fleet, &scene.wanted(None).await?.desired)?;
    let keys = server.list().await;
    fleet.close().await;
    let mut keys = keys.map_err(|error| Failure::because("the keys cannot be listed", &error))?;
    keys.sort_by(|one, other| (&one.label, one.created_unix_ms).cmp(&(&other.label, other.created_unix_ms)));
    if json {
        let text = serde_json::to_string_pretty(&keys)
            .map_err(|error| Failure::because("the keys cannot be written as JSON", &error))?;
        printer.data(&text);
        return Ok(Exit::Done);
    }
    let time = |unix_ms: Option<i64>| {
        let seconds = unix_ms.and_then(|unix_ms| u64::try_from(unix_ms / 1000).ok());
        seconds.map_or_else(|| "never".to_owned(), time_text)
    };
    printer.data(&format!(
        "{:20} {:12} {:16} {:16}",
        "LABEL", "KEY", "MINTED", "LAST USED"
    ));
    for key in keys {
        printer.data(&format!(
            "{:20} {:12} {:16} {:16}",
            key.label,
            key.prefix,
            time(Some(key.created_unix_ms)),
            time(key.last_used_unix_ms)
        ));
    }
    Ok(Exit::Done)
}

/// Host after host, so that a mistake meets one of them only.
async fn rotate(arguments: &ProjectArgs, printer: &Printer) -> Result<Exit, Failure> {
    let scene = Scene::load(arguments)?;
    // The server's host is needed whichever hosts are named.
    let fleet = scene.connect(&[]).await?;
    all_reachable(&fleet)?;
    let wanted = scene.wanted(None).await?;
    let server = server(&scene, &fleet, &wanted.desired)?;
    let lock = Lock::take(&fleet, Owner::this_process("keys"), |line| printer.note(line))
        .await
        .map_err(|error| Failure::because("the lock cannot be taken", &error).exit(Exit::Locked))?;
    let only = &arguments.hosts.only;
    let mut outcome = Ok(Exit::Done);
    for (host, target) in &fleet.targets {
        if !only.is_empty() && !only.contains(host) {
            continue;
        }
        match server.rotate(target, &desired_of(&wanted.desired, host)).await {
            Ok(done) => printer.say(&format!("{host}: {done}")),
            Err(error) => {
                outcome = Err(error.into_failure(host, "change its key"));
                break;
            }
        }
    }
    lock.release().await;
    fleet.close().await;
    outcome
}

fn server(scene: &Scene, fleet: &Fleet, desired: &BTreeMap<String, DesiredHost>) -> Result<Keys, Failure> {
    Keys::of(fleet, &scene.project, desired, &scene.account_file()).ok_or_else(|| {
        Failure::new("no server that mints keys can be reached")
            .hint("a secret with `x-enrolment` names it; its host must answer, and it must be rolled out")
    })
}
