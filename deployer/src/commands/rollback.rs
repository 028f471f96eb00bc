//! `deployer rollback [RELEASE]`.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    carry_out::{Manner, carry_out},
    scene::{Scene, Wanted, all_reachable, local_engine},
};
use crate::{
    cli::ProjectArgs,
    error::{Exit, Failure},
    execute::{Fleet, LocalImages, Lock, Owner, PutBack, Sight, undo_all},
    plan::DesiredHost,
    printer::Printer,
};

/// Puts back what was there before a rollout that was cut off; else brings back the release before the newest, or a
/// named one, from what each host remembers of it.
///
/// # Errors
///
/// When there is no such release, or a host cannot be put back.
pub async fn run(arguments: &ProjectArgs, release: Option<&str>, printer: &Printer) -> Result<Exit, Failure> {
    let scene = Scene::load(arguments)?;
    let (here, fleet) = tokio::join!(local_engine(), scene.connect(&arguments.hosts.only));
    let fleet = fleet?;
    all_reachable(&fleet)?;
    let (sights, _) = scene.look(&fleet, &BTreeMap::new(), true, false).await?;
    let cut_off = sights.values().any(|sight| sight.journal.is_some());
    let outcome = if cut_off && release.is_none() {
        put_back(&scene, &fleet, &sights, printer).await
    } else {
        let desired = remembered(&sights, release)?;
        let images = LocalImages {
            engine: here.as_ref().map(|here| here.engine.clone()),
            ids: BTreeMap::new(),
        };
        let wanted = Wanted {
            desired,
            images,
            contents: BTreeMap::new(),
        };
        let manner = Manner {
            quiet: printer.is_quiet(),
            back: true,
            ..Manner::default()
        };
        carry_out(&scene, &fleet, wanted, manner, printer).await
    };
    fleet.close().await;
    outcome
}

/// Undoes a rollout that was cut off, and tells the server of it.
async fn put_back(
    scene: &Scene,
    fleet: &Fleet,
    sights: &BTreeMap<String, Sight>,
    printer: &Printer,
) -> Result<Exit, Failure> {
    let mut deed = PutBack::begin(Owner::this_process("rollback"));
    let lock = Lock::take(fleet, deed.owner.clone(), |line| printer.note(line))
        .await
        .map_err(|error| Failure::because("the lock cannot be taken", &error).exit(Exit::Locked))?;
    let done = fleet
        .each(|target| async move {
            match sights.get(target.name()).and_then(|sight| sight.journal.as_ref()) {
                Some(journal) => undo_all(target, journal).await,
                None => Ok(Vec::new()),
            }
        })
        .await;
    lock.release().await;
    let mut failure = Failure::new("not everything could be put back");
    for (host, outcome) in done {
        let whole = matches!(&outcome, Ok(left) if left.is_empty());
        if let Some(journal) = sights.get(&host).and_then(|sight| sight.journal.as_ref()) {
            deed.hosts.insert(host.clone(), (journal.release.clone(), whole));
        }
        match outcome {
            Ok(left) if left.is_empty() => printer.say(&format!("{host}: as it was before")),
            Ok(left) => failure.causes.extend(left),
            Err(error) => failure.causes.push(format!("{host}: {error}")),
        }
    }
    if let Err(message) = deed.tell(fleet, &scene.project, &scene.account_file()).await {
        printer.note(&format!("warning: {message}"));
    }
    if failure.causes.is_empty() {
        Ok(Exit::Done)
    } else {
        Err(failure)
    }
}

/// What each host ran in a release: the named one, or the newest before the last.
fn remembered(
    sights: &BTreeMap<String, Sight>,
    release: Option<&str>,
) -> Result<BTreeMap<String, DesiredHost>, Failure> {
    let ids: BTreeSet<&str> = sights
        .values()
        .flat_map(|sight| &sight.state.releases)
        .map(|release| release.id.as_str())
        .collect();
    let chosen = match release {
        Some(release) => ids.get(release).copied(),
        None => ids.iter().rev().nth(1).copied(),
    };
    let Some(chosen) = chosen else {
        let message = release.map_or_else(
            || "there is no release before this one".to_owned(),
            |release| format!("no host remembers a release {release}"),
        );
        return Err(Failure::new(message).hint("`deployer history` lists the releases that can come back"));
    };
    let mut desired = BTreeMap::new();
    for (host, sight) in sights {
        // A host that the release had nothing to change on ran the one before.
        let known = sight
            .state
            .releases
            .iter()
            .rev()
            .find(|release| release.id.as_str() <= chosen);
        desired.insert(
            host.clone(),
            known.map(|release| release.desired.clone()).unwrap_or_default(),
        );
    }
    Ok(desired)
}
