//! `deployer rollout`.

use super::{
    build::build_all,
    carry_out::{Manner, carry_out},
    look::Seen,
    scene::{Scene, all_reachable, local_engine, say_unreachable},
};
use crate::{
    cli::RolloutArgs,
    error::{Exit, Failure},
    plan::Plan,
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
    let no_firewall = arguments.no_firewall;
    let remembered = scene.wanted_as_remembered()?;
    // An engine here that is not needed in the end is not started.
    let here = async {
        if remembered.is_none() {
            local_engine().await
        } else {
            None
        }
    };
    let (mut here, fleet) = tokio::join!(here, scene.reach(&arguments.project.hosts.only));
    let fleet = fleet?;
    let from_memory = remembered.is_some();
    let mut wanted = match remembered {
        Some(wanted) => wanted,
        None => scene.wanted(here.as_ref()).await?,
    };
    let glances = scene.glance(&fleet, &wanted.desired, no_firewall).await;
    if fleet.unreachable.is_empty()
        && !arguments.resume
        && let Some(plan) = scene.plan_at_a_glance(&fleet, &glances, &wanted.desired, no_firewall)
    {
        nothing_to_do(&plan, printer);
        fleet.close().await;
        return Ok(Exit::Done);
    }
    let fleet = if from_memory {
        let (engine, fleet) = tokio::join!(local_engine(), fleet.ready());
        here = engine;
        wanted = scene.wanted(here.as_ref()).await?;
        fleet
    } else {
        fleet.ready().await
    };
    if arguments.keep_going {
        say_unreachable(&fleet, printer);
    } else {
        all_reachable(&fleet)?;
    }
    let (sights, plan) = scene
        .look(&fleet, &wanted.desired, no_firewall, arguments.resume)
        .await?;
    let cut_off = sights
        .values()
        .any(|sight| sight.journal.is_some() || !sight.kept.is_empty());
    if plan.is_empty() && !cut_off {
        nothing_to_do(&plan, printer);
        scene
            .keep_in_mind(&fleet, &wanted, no_firewall, &glances, &sights)
            .await;
        fleet.close().await;
        let missing = fleet.unreachable.is_empty();
        return Ok(if missing { Exit::Done } else { Exit::Failed });
    }
    let journals = sights.values().filter_map(|sight| sight.journal.as_ref());
    let begun = journals.map(|journal| journal.release.clone()).max();
    let manner = Manner {
        resume: arguments.resume,
        keep_going: arguments.keep_going,
        no_firewall,
        json: arguments.json,
        quiet: printer.is_quiet(),
        release: begun.filter(|_| arguments.resume),
        back: false,
        seen: Seen { glances, sights },
    };
    let outcome = carry_out(&scene, &fleet, wanted, manner, printer).await;
    fleet.close().await;
    match outcome? {
        Exit::Done if !fleet.unreachable.is_empty() => Ok(Exit::Failed),
        exit => Ok(exit),
    }
}

fn nothing_to_do(plan: &Plan, printer: &Printer) {
    for note in &plan.notes {
        printer.say(&format!("note: {note}"));
    }
    printer.say(&format!(
        "nothing to do: {} container(s) are as they should be",
        plan.unchanged
    ));
}
