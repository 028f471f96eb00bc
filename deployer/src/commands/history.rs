//! `deployer history`.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    carry_out::time_text,
    scene::{Scene, say_unreachable},
};
use crate::{
    cli::ProjectArgs,
    error::{Exit, Failure},
    printer::Printer,
};

/// Lists the releases that hosts remember, the newest first.
///
/// # Errors
///
/// When a file is wrong or a host cannot be looked at.
pub async fn run(arguments: &ProjectArgs, printer: &Printer) -> Result<Exit, Failure> {
    let scene = Scene::load(arguments)?;
    let fleet = scene.connect(&arguments.hosts.only).await?;
    say_unreachable(&fleet, printer);
    let (sights, _) = scene.look(&fleet, &BTreeMap::new(), true, false).await?;
    fleet.close().await;
    let mut releases: BTreeMap<&str, (u64, &str, BTreeSet<&str>)> = BTreeMap::new();
    for (host, sight) in &sights {
        for release in &sight.state.releases {
            let entry =
                releases
                    .entry(&release.id)
                    .or_insert((release.at_unix_ms, &release.by, BTreeSet::new()));
            entry.2.insert(host);
        }
    }
    for (id, (at, by, hosts)) in releases.iter().rev() {
        let hosts = hosts.iter().copied().collect::<Vec<_>>().join(",");
        printer.data(&format!("{id}  {}  {by}  {hosts}", time_text(at / 1000)));
    }
    Ok(Exit::Done)
}
