//! `deployer firewall`: what is open, what of it we opened, and the two steps of a rollout that open and close.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::scene::{Scene, all_reachable, say_unreachable};
use crate::{
    cli::{FirewallCommand, ProjectArgs},
    error::{Exit, Failure},
    execute::{Fleet, Lock, Owner, change_ports, firewall_of},
    firewall::{FirewallState, PortRule},
    plan::{Action, DesiredHost},
    printer::Printer,
};

#[derive(Default, Serialize)]
struct Row {
    host: String,
    /// Of firewalld; none where it does not run.
    zone: Option<String>,
    port: String,
    /// Now.
    runtime: bool,
    /// After a reboot.
    permanent: bool,
    /// By this project.
    opened_by_us: bool,
    /// By the Compose file.
    wanted: bool,
}

/// Shows the firewalls, or opens and closes what the Compose file asks for and nothing else.
///
/// # Errors
///
/// When a host cannot be asked or its firewall cannot be changed.
pub async fn run(command: &FirewallCommand, printer: &Printer) -> Result<Exit, Failure> {
    match command {
        FirewallCommand::Show { project, json } => {
            let scene = Scene::load(project)?;
            let fleet = scene.connect(&project.hosts.only).await?;
            say_unreachable(&fleet, printer);
            let wanted = scene.wanted(None).await?;
            let rows = rows(&scene, &fleet, &wanted.desired).await;
            fleet.close().await;
            print(&rows?, *json, printer)?;
            Ok(if fleet.unreachable.is_empty() {
                Exit::Done
            } else {
                Exit::Failed
            })
        }
        FirewallCommand::Open(project) => change(project, true, printer).await,
        FirewallCommand::Close(project) => change(project, false, printer).await,
    }
}

/// Opens what the Compose file asks for, or closes what we opened; the steps are those of a rollout's plan.
async fn change(arguments: &ProjectArgs, open: bool, printer: &Printer) -> Result<Exit, Failure> {
    let scene = Scene::load(arguments)?;
    let fleet = scene.connect(&arguments.hosts.only).await?;
    all_reachable(&fleet)?;
    let mut wanted = scene.wanted(None).await?;
    if !open {
        // Nothing is wanted open: what we opened is then what nobody needs any more.
        wanted
            .desired
            .values_mut()
            .for_each(|desired| desired.ports.clear());
    }
    let lock = Lock::take(&fleet, Owner::this_process("firewall"), |line| printer.note(line))
        .await
        .map_err(|error| Failure::because("the lock cannot be taken", &error).exit(Exit::Locked))?;
    let done = under_lock(&scene, &fleet, &wanted.desired, open, printer).await;
    lock.release().await;
    fleet.close().await;
    done
}

async fn under_lock(
    scene: &Scene,
    fleet: &Fleet,
    desired: &BTreeMap<String, DesiredHost>,
    open: bool,
    printer: &Printer,
) -> Result<Exit, Failure> {
    let (sights, mut plan) = scene.look(fleet, desired, false, false).await?;
    if sights.values().any(|sight| sight.journal.is_some()) {
        return Err(Failure::new("a rollout was cut off on these hosts")
            .hint("`deployer rollout --resume` goes on with it, `deployer rollback` puts back what was there before"));
    }
    plan.steps.retain(|step| match step.action {
        Action::OpenPorts { .. } => open,
        Action::ClosePorts { .. } => true,
        _ => false,
    });
    for note in plan.notes.iter().chain(&plan.obstacles) {
        printer.say(&format!("note: {note}"));
    }
    if plan.steps.is_empty() {
        printer.say("nothing to do");
    }
    let done = fleet
        .each(|target| {
            let steps: Vec<_> = plan
                .steps
                .iter()
                .filter(|step| step.host == target.name())
                .collect();
            async move { change_ports(target, &steps).await }
        })
        .await;
    for (host, outcome) in done {
        outcome.map_err(|error| error.into_failure(&host, "change its firewall"))?;
    }
    for step in &plan.steps {
        printer.say(&format!("{}: {}", step.host, step.action.sentence()));
    }
    Ok(if plan.obstacles.is_empty() {
        Exit::Done
    } else {
        Exit::Failed
    })
}

async fn rows(
    scene: &Scene,
    fleet: &Fleet,
    desired: &BTreeMap<String, DesiredHost>,
) -> Result<Vec<Row>, Failure> {
    let (sights, _) = scene.look(fleet, desired, true, false).await?;
    let mut rows: Vec<Row> = Vec::new();
    let nothing = BTreeSet::new();
    for (host, state) in fleet.each(firewall_of).await {
        let state = state.map_err(|error| error.into_failure(&host, "ask its firewall"))?;
        let opened = sights
            .get(&host)
            .map(|sight| sight.observed.opened.as_slice())
            .unwrap_or_default();
        let (zone, runtime, permanent) = match &state {
            FirewallState::On {
                zone,
                runtime,
                permanent,
            } => (Some(zone.clone()), runtime, permanent),
            FirewallState::Unreadable { reason } => {
                return Err(Failure::new(format!(
                    "{host}: the firewall cannot be asked: {reason}"
                )));
            }
            FirewallState::Absent | FirewallState::NotAsked => (None, &nothing, &nothing),
        };
        let wanted = desired
            .get(&host)
            .map(|desired| &desired.ports)
            .unwrap_or(&nothing);
        let all: BTreeSet<&PortRule> = runtime.union(permanent).chain(wanted).collect();
        rows.extend(all.into_iter().map(|rule| Row {
            host: host.clone(),
            zone: zone.clone(),
            port: rule.to_string(),
            runtime: runtime.contains(rule),
            permanent: permanent.contains(rule),
            opened_by_us: opened.iter().any(|opened| opened.rule == *rule),
            wanted: wanted.contains(rule),
        }));
        if rows.iter().all(|row| row.host != host) {
            rows.push(Row {
                host,
                zone,
                ..Row::default()
            });
        }
    }
    Ok(rows)
}

fn print(rows: &[Row], json: bool, printer: &Printer) -> Result<(), Failure> {
    if json {
        let text = serde_json::to_string_pretty(rows)
            .map_err(|error| Failure::because("the table cannot be written as JSON", &error))?;
        printer.data(&text);
        return Ok(());
    }
    let word = |holds: bool| if holds { "yes" } else { "-" };
    printer.data(&format!(
        "{:16} {:12} {:28} {:5} {:5} {:5} {:6}",
        "HOST", "ZONE", "PORT", "NOW", "BOOT", "OURS", "WANTED"
    ));
    for row in rows {
        printer.data(&format!(
            "{:16} {:12} {:28} {:5} {:5} {:5} {:6}",
            row.host,
            row.zone.as_deref().unwrap_or("none"),
            if row.port.is_empty() { "-" } else { &row.port },
            word(row.runtime),
            word(row.permanent),
            word(row.opened_by_us),
            word(row.wanted)
        ));
    }
    Ok(())
}
