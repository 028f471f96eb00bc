//! `cargo xtask bench`: builds what the chosen scenarios need, then has the load generator measure.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::{
    printer::Printer,
    process,
    suites::{Prerequisites, Session},
    workspace::Workspace,
};

/// Built together, as for the demonstration: another set could mean other features, and everything built anew.
const SERVICES: [&str; 3] = [
    "metric-flow-bench",
    "metric-flow-socket-server",
    "metric-flow-node-client",
];

/// What to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Runs only this scenario; may be given several times. Without it all run, which takes about half an hour.
    #[arg(long, value_name = "SCENARIO")]
    only: Vec<String>,
    /// Names the scenarios and runs none.
    #[arg(long)]
    list: bool,
    /// Prints the figures as JSON at the end, in place of a line for each.
    #[arg(long)]
    json: bool,
    /// Leaves bench/results.json and bench/README.md as they are.
    #[arg(long)]
    no_write: bool,
    /// Length of the scenario `soak`; 60 is the whole one.
    #[arg(long, value_name = "MINUTES", default_value_t = 10)]
    soak_minutes: u64,
    /// How often the scenario `endurance` cuts its client off; 1000 is the whole one.
    #[arg(long, value_name = "NUMBER", default_value_t = 200)]
    endurance_reconnects: u64,
}

/// One scenario, as the load generator names it.
struct Scenario {
    name: String,
    about: String,
    packages: Vec<String>,
    groups: Vec<String>,
    node_folders: Vec<String>,
}

/// Builds, checks what is missing, measures.
pub(crate) fn run(workspace: &Workspace, printer: &Printer, options: &Options) -> Result<ExitCode> {
    let mut session = Session::new(workspace, printer);
    session.enter("bench");
    if !options.list {
        Prerequisites::install(&session, &["base", "rust"]).check(&["base", "rust"])?;
        session.dashboard()?;
    }
    build(workspace, &SERVICES)?;
    let generator = workspace.target.join("release/metric-flow-bench");
    let scenarios = scenarios(workspace.command(&generator).arg("list"))?;
    if options.list {
        for scenario in &scenarios {
            printer.line(format_args!("{:<12} {}", scenario.name, scenario.about));
        }
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(unknown) = options
        .only
        .iter()
        .find(|name| scenarios.iter().all(|one| one.name != **name))
    {
        let names: Vec<&str> = scenarios.iter().map(|one| one.name.as_str()).collect();
        bail!(
            "there is no scenario \"{unknown}\"; the scenarios are {}",
            names.join(", ")
        );
    }
    let chosen: Vec<&Scenario> = scenarios
        .iter()
        .filter(|one| options.only.is_empty() || options.only.contains(&one.name))
        .collect();

    let groups: Vec<&str> = chosen
        .iter()
        .flat_map(|one| one.groups.iter().map(String::as_str))
        .collect();
    Prerequisites::install(&session, &groups).check(&groups)?;
    let others: Vec<&str> = chosen
        .iter()
        .flat_map(|one| one.packages.iter().map(String::as_str))
        .filter(|package| !SERVICES.contains(package))
        .collect();
    if !others.is_empty() {
        build(workspace, &others)?;
    }

    let mut command = workspace.command(&generator);
    for folder in chosen.iter().flat_map(|one| &one.node_folders) {
        session.node_modules(folder)?;
        session.node()?.lend(&mut command);
    }
    command
        .arg("run")
        .arg("--programs")
        .arg(workspace.target.join("release"));
    command.arg("--project").arg(&workspace.root);
    command.args(["--soak-minutes", &options.soak_minutes.to_string()]);
    command.args([
        "--endurance-reconnects",
        &options.endurance_reconnects.to_string(),
    ]);
    for scenario in &chosen {
        command.args(["--only", &scenario.name]);
    }
    if options.json {
        command.arg("--json");
    }
    if !options.no_write {
        command.args(["--results", "bench/results.json", "--write", "bench/README.md"]);
    }
    process::pass_through(&mut command)
}

/// Release builds; cargo's own progress is the best there is: it has the terminal.
fn build(workspace: &Workspace, packages: &[&str]) -> Result<()> {
    let mut command = workspace.cargo();
    command.args(["build", "--release", "--locked"]);
    for package in packages {
        command.args(["--package", package]);
    }
    let status = command.status().context("cargo could not be started")?;
    ensure!(
        status.success(),
        "the programs do not build; the compiler's output is above"
    );
    Ok(())
}

fn scenarios(command: &mut Command) -> Result<Vec<Scenario>> {
    let output = command
        .output()
        .context("the load generator could not be started")?;
    ensure!(
        output.status.success(),
        "the load generator does not name its scenarios"
    );
    let rows: Vec<Value> =
        serde_json::from_slice(&output.stdout).context("the list of scenarios is not JSON")?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = |value: &Value| value.as_array().into_iter().flatten().map(text).collect();
    Ok(rows
        .iter()
        .map(|row| Scenario {
            name: text(&row["name"]),
            about: text(&row["about"]),
            packages: list(&row["packages"]),
            groups: list(&row["groups"]),
            node_folders: list(&row["node_folders"]),
        })
        .collect())
}
