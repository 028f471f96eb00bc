//! `deployer status`.

use serde::Serialize;

use super::scene::{Scene, local_engine, say_unreachable};
use crate::{
    cli::ProjectArgs,
    error::{Exit, Failure},
    plan::Action,
    printer::Printer,
};

#[derive(Serialize)]
struct Row {
    host: String,
    service: String,
    container: String,
    state: String,
    health: String,
    release: String,
    drift: String,
}

/// Shows every container of the project on every host, and what of it is not as it should be.
///
/// # Errors
///
/// When a file is wrong or a host cannot be looked at.
pub async fn run(arguments: &ProjectArgs, json: bool, printer: &Printer) -> Result<Exit, Failure> {
    let scene = Scene::load(arguments)?;
    let (here, fleet) = tokio::join!(local_engine(), scene.connect(&arguments.hosts.only));
    let fleet = fleet?;
    say_unreachable(&fleet, printer);
    let wanted = scene.wanted(here.as_ref()).await?;
    let (sights, plan) = scene.look(&fleet, &wanted.desired, false, false).await?;
    fleet.close().await;
    let mut rows = Vec::new();
    for (host, sight) in &sights {
        let drift = |name: &str| {
            let step = plan
                .steps
                .iter()
                .find(|step| step.host == *host && touches(&step.action, name));
            step.map(|step| step.why.clone()).unwrap_or_default()
        };
        for (name, container) in &sight.observed.containers {
            rows.push(Row {
                host: host.clone(),
                service: container.service.clone(),
                container: name.clone(),
                state: container.state.clone(),
                health: container.health().unwrap_or("-").to_owned(),
                release: container.release.clone(),
                drift: drift(name),
            });
        }
        for step in plan.steps.iter().filter(|step| step.host == *host) {
            if let Action::Create { container } = &step.action {
                rows.push(Row {
                    host: host.clone(),
                    service: container.service.clone(),
                    container: container.name.clone(),
                    state: "missing".to_owned(),
                    health: "-".to_owned(),
                    release: String::new(),
                    drift: step.why.clone(),
                });
            }
        }
    }
    if json {
        let text = serde_json::to_string_pretty(&rows)
            .map_err(|error| Failure::because("cannot write JSON", &error))?;
        printer.data(&text);
    } else {
        table(&rows, printer);
        for step in plan.steps.iter().filter(|step| !step.action.is_task()) {
            printer.say(&format!(
                "{}: would {}: {}",
                step.host,
                step.action.sentence(),
                step.why
            ));
        }
    }
    Ok(match (plan.is_empty(), fleet.unreachable.is_empty()) {
        (true, true) => Exit::Done,
        (_, false) => Exit::Failed,
        (false, true) => Exit::Changes,
    })
}

fn touches(action: &Action, name: &str) -> bool {
    match action {
        Action::Replace { container, .. } => container.name == name,
        Action::Start { container } | Action::Await { container } => container.name == name,
        Action::Remove { name: removed } => removed == name,
        _ => false,
    }
}

fn table(rows: &[Row], printer: &Printer) {
    let head = ["HOST", "SERVICE", "STATE", "HEALTH", "RELEASE", "DRIFT"].map(str::to_owned);
    let cells = |row: &Row| {
        [
            &row.host,
            &row.service,
            &row.state,
            &row.health,
            &row.release,
            &row.drift,
        ]
        .map(Clone::clone)
    };
    let lines: Vec<[String; 6]> = std::iter::once(head).chain(rows.iter().map(cells)).collect();
    let mut widths = [0; 6];
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(cell.chars().count());
        }
    }
    for line in &lines {
        let padded: Vec<String> = line
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        printer.data(padded.join("  ").trim_end());
    }
}
