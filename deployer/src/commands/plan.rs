//! `deployer plan`.

use super::scene::{Scene, all_reachable, local_engine};
use crate::{
    cli::ProjectArgs,
    error::{Exit, Failure},
    plan::Plan,
    printer::Printer,
};

/// Shows what a rollout would do.
///
/// # Errors
///
/// When a file is wrong or a host cannot be looked at.
pub async fn run(
    arguments: &ProjectArgs,
    no_firewall: bool,
    json: bool,
    printer: &Printer,
) -> Result<Exit, Failure> {
    let scene = Scene::load(arguments)?;
    let (here, fleet) = tokio::join!(local_engine(), scene.connect(&arguments.hosts.only));
    let fleet = fleet?;
    all_reachable(&fleet)?;
    let wanted = scene.wanted(here.as_ref()).await?;
    let (_, plan) = scene.look(&fleet, &wanted.desired, no_firewall, false).await?;
    fleet.close().await;
    if json {
        let text = serde_json::to_string_pretty(&plan)
            .map_err(|error| Failure::because("cannot write JSON", &error))?;
        printer.data(&text);
    } else {
        print(&plan, |line| printer.data(line));
    }
    Ok(if plan.is_empty() {
        Exit::Done
    } else {
        Exit::Changes
    })
}

/// The plan, a sentence a line.
pub(super) fn print(plan: &Plan, write: impl Fn(&str)) {
    let mut host = "";
    for step in &plan.steps {
        if step.host != host {
            host = &step.host;
            write(host);
        }
        write(&format!("  {}: {}", step.action.sentence(), step.why));
    }
    for obstacle in &plan.obstacles {
        write(&format!("obstacle: {obstacle}"));
    }
    for note in &plan.notes {
        write(&format!("note: {note}"));
    }
    let unchanged = plan.unchanged;
    if plan.is_empty() {
        write(&format!(
            "nothing to do: {unchanged} container(s) are as they should be"
        ));
    } else {
        write(&format!(
            "{} step(s) to do, {unchanged} container(s) stay as they are",
            plan.steps.len()
        ));
    }
}
