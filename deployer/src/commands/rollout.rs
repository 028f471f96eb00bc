//! `deployer rollout`.

use super::{
    build::build_all,
    carry_out::{Manner, carry_out},
    scene::{Scene, all_reachable, local_engine, say_unreachable},
};
use crate::{
    cli::RolloutArgs,
    error::{Exit, Failure},
    printer::Printer,
};

/// Makes the hosts what the two files say. With nothing to do it takes no lock and changes nothing.
///
/// # Errors
///
/// What failed, on which host, and whether the hosts are as they were before.
pub async fn run(arguments: &RolloutArgs, printer: &Printer) -> Result<Exit, Failure> {
    let scene = Scene::load(&arguments.project)?;
    if arguments.build {
        build_all(&scene.project, &[], false, printer).await?;
    }
    let (here, fleet) = tokio::join!(local_engine(), scene.connect(&arguments.project.hosts.only));
    let fleet = fleet?;
    if arguments.keep_going {
        say_unreachable(&fleet, printer);
    } else {
        all_reachable(&fleet)?;
    }
    let wanted = scene.wanted(here.as_ref()).await?;
    let (sights, plan) = scene
        .look(&fleet, &wanted.desired, arguments.no_firewall, arguments.resume)
        .await?;
    let cut_off = sights
        .values()
        .any(|sight| sight.journal.is_some() || !sight.kept.is_empty());
    if plan.is_empty() && !cut_off {
        for note in &plan.notes {
            printer.say(&format!("note: {note}"));
        }
        printer.say(&format!(
            "nothing to do: {} container(s) are as they should be",
            plan.unchanged
        ));
        fleet.close().await;
        let missing = fleet.unreachable.is_empty();
        return Ok(if missing { Exit::Done } else { Exit::Failed });
    }
    let journals = sights.values().filter_map(|sight| sight.journal.as_ref());
    let begun = journals.map(|journal| journal.release.clone()).max();
    let manner = Manner {
        resume: arguments.resume,
        keep_going: arguments.keep_going,
        no_firewall: arguments.no_firewall,
        json: arguments.json,
        quiet: printer.is_quiet(),
        release: begun.filter(|_| arguments.resume),
        back: false,
    };
    let outcome = carry_out(&scene, &fleet, wanted, manner, printer).await;
    fleet.close().await;
    match outcome? {
        Exit::Done if !fleet.unreachable.is_empty() => Ok(Exit::Failed),
        exit => Ok(exit),
    }
}
