//! `metric-flow-bench`: `run` measures, `hosts` only simulates hosts against a running server.

use std::{
    io::Write as _,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::{Args, Parser, Subcommand};
use metric_flow_bench::{
    catalogue::{SCENARIOS, Scenario},
    context::{Context, is_installed},
    load::{Dialect, FleetLoad, FleetPlan},
    report::{Results, markdown, replace_between},
    scenario::{self, ScenarioError, recording::RECORDING},
};
use serde_json::json;

const BEGIN: &str = "<!-- figures -->";
const END: &str = "<!-- end of figures -->";

/// The load generator and the benchmarks of Metric Flow.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measures the release programs and prints the figures.
    Run(RunArguments),
    /// Prints the scenarios and what they need, as JSON.
    List,
    /// Records this machine's readings for the scenario `store`, once a second, below .cache/bench.
    Record {
        /// How long.
        #[arg(long, default_value_t = 20)]
        minutes: u64,
        /// The project's folder.
        #[arg(long, default_value = ".")]
        project: PathBuf,
    },
    /// Keeps simulated hosts sending to a running server until it is told to stop.
    Hosts {
        /// Where the server listens.
        #[arg(long)]
        server: SocketAddr,
        /// A file that holds an API key.
        #[arg(long)]
        api_key_file: PathBuf,
        /// How many hosts.
        #[arg(long, default_value_t = 10)]
        hosts: usize,
    },
}

#[derive(Debug, Args)]
struct RunArguments {
    /// Folder of the release programs.
    #[arg(long, default_value = "target/release")]
    programs: PathBuf,
    /// The project's folder.
    #[arg(long, default_value = ".")]
    project: PathBuf,
    /// Only this scenario; may be given several times.
    #[arg(long)]
    only: Vec<String>,
    /// Length of the soak.
    #[arg(long, value_name = "MINUTES", default_value_t = 10)]
    soak_minutes: u64,
    /// How often `endurance` cuts its client off.
    #[arg(long, value_name = "NUMBER", default_value_t = 200)]
    endurance_reconnects: u64,
    /// Prints the figures as JSON, all at the end.
    #[arg(long)]
    json: bool,
    /// Keeps the figures in this file, beside those of other scenarios that are there.
    #[arg(long, value_name = "FILE")]
    results: Option<PathBuf>,
    /// A Markdown file that gets all figures of the results between its markers.
    #[arg(long, value_name = "FILE", requires = "results")]
    write: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Run(arguments) => measure(&arguments).await,
        Command::List => list(),
        Command::Record { minutes, project } => record(minutes, project).await,
        Command::Hosts {
            server,
            api_key_file,
            hosts,
        } => simulate(server, api_key_file, hosts).await,
    };
    outcome.unwrap_or_else(|error| {
        // Nothing is left to do when standard error is gone too.
        let _ = writeln!(std::io::stderr(), "error: {error}");
        ExitCode::FAILURE
    })
}

fn list() -> Result<ExitCode, ScenarioError> {
    let rows: Vec<_> = SCENARIOS
        .iter()
        .map(|one| {
            json!({
                "name": one.name,
                "about": one.about,
                "packages": one.packages,
                "groups": one.groups,
                "node_folders": one.node_folders,
            })
        })
        .collect();
    writeln!(std::io::stdout(), "{}", json!(rows))?;
    Ok(ExitCode::SUCCESS)
}

async fn record(minutes: u64, project: PathBuf) -> Result<ExitCode, ScenarioError> {
    let path = project.join(RECORDING);
    scenario::recording::record(&path, minutes.max(1) * 60).await?;
    writeln!(std::io::stdout(), "recorded to {}", path.display())?;
    Ok(ExitCode::SUCCESS)
}

async fn simulate(
    server: SocketAddr,
    api_key_file: PathBuf,
    hosts: usize,
) -> Result<ExitCode, ScenarioError> {
    let api_key = std::fs::read_to_string(api_key_file)?.trim().to_owned();
    let epoch = format!("{:016x}", rand::random::<u64>());
    let plan = FleetPlan {
        server,
        api_key,
        hosts,
        interval: Some(Duration::from_secs(1)),
        epoch,
        dialect: Dialect::Plain,
    };
    let fleet = FleetLoad::start(plan).await?;
    tokio::signal::ctrl_c().await?;
    fleet.stop().await;
    Ok(ExitCode::SUCCESS)
}

/// Runs the chosen scenarios; one that fails does not keep the next from running.
async fn measure(arguments: &RunArguments) -> Result<ExitCode, ScenarioError> {
    let chosen = choose(&arguments.only, &arguments.project)?;
    let context = Context {
        programs: std::path::absolute(&arguments.programs)?,
        project: std::path::absolute(&arguments.project)?,
        soak: Duration::from_secs(arguments.soak_minutes.max(1) * 60),
        endurance_reconnects: arguments.endurance_reconnects,
    };
    let mut results = match &arguments.results {
        Some(path) => Results::load(path)?,
        None => Results::fresh(),
    };
    let mut failed = false;
    for scenario in &chosen {
        let _ = writeln!(std::io::stderr(), "==> {}: {}", scenario.name, scenario.about);
        match (scenario.run)(&context).await {
            Ok(figures) => {
                if !arguments.json {
                    for figure in &figures {
                        writeln!(std::io::stdout(), "{}", figure.line())?;
                    }
                }
                results.scenarios.insert(scenario.name.to_owned(), figures);
                keep(&results, arguments)?;
            }
            Err(error) => {
                failed = true;
                let _ = writeln!(std::io::stderr(), "error: {}: {error}", scenario.name);
            }
        }
    }
    if arguments.json {
        let measured: Vec<_> = chosen
            .iter()
            .filter_map(|one| {
                Some(json!({"scenario": one.name, "figures": results.scenarios.get(one.name)?}))
            })
            .collect();
        writeln!(
            std::io::stdout(),
            "{}",
            json!({"machine": results.machine, "scenarios": measured})
        )?;
    }
    Ok(if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// Writes what is known so far: a whole run takes long, and may be ended.
fn keep(results: &Results, arguments: &RunArguments) -> Result<(), ScenarioError> {
    if let Some(path) = &arguments.results {
        results.save(path)?;
    }
    if let Some(path) = &arguments.write {
        let order: Vec<_> = SCENARIOS.iter().map(|one| (one.name, one.about)).collect();
        let document = std::fs::read_to_string(path)?;
        let missing =
            || std::io::Error::other(format!("{} lacks the markers {BEGIN} and {END}", path.display()));
        let text = replace_between(&document, BEGIN, END, &markdown(results, &order)).ok_or_else(missing)?;
        std::fs::write(path, text)?;
    }
    Ok(())
}

/// The scenarios of those names, in the catalogue's order; all without a name. What they need must be there: a
/// scenario is never left out in silence.
fn choose(only: &[String], project: &Path) -> Result<Vec<&'static Scenario>, ScenarioError> {
    if let Some(unknown) = only
        .iter()
        .find(|name| SCENARIOS.iter().all(|one| one.name != **name))
    {
        let names: Vec<_> = SCENARIOS.iter().map(|one| one.name).collect();
        return Err(ScenarioError::Unknown {
            name: unknown.clone(),
            names: names.join(", "),
        });
    }
    let chosen: Vec<_> = SCENARIOS
        .iter()
        .filter(|one| only.is_empty() || only.iter().any(|name| name == one.name))
        .collect();
    for scenario in &chosen {
        if let Some(program) = scenario.programs.iter().find(|name| !is_installed(name)) {
            return Err(ScenarioError::Missing {
                scenario: scenario.name,
                program,
                groups: scenario.groups.join(" "),
            });
        }
        let installed =
            |folder: &str| is_installed("node") && project.join(folder).join("node_modules").is_dir();
        if let Some(folder) = scenario.node_folders.iter().find(|folder| !installed(folder)) {
            return Err(ScenarioError::NoPackages {
                scenario: scenario.name,
                folder,
            });
        }
    }
    Ok(chosen)
}
