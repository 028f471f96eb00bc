//! `metric-flow-bench`: `run` measures, `hosts` only simulates hosts against a running server.

use std::{net::SocketAddr, path::PathBuf, process::ExitCode, time::Duration};

use clap::{Parser, Subcommand};
use metric_flow_bench::{
    load::{FleetLoad, FleetPlan},
    report::{Figure, markdown_table, replace_between},
    scenario::{self, LivePlan, ScenarioError},
};

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
    Run {
        /// Folder of the release programs.
        #[arg(long, default_value = "target/release")]
        programs: PathBuf,
        /// Only the scenarios with these names: live, live-10000, stalled, idle, reconnect, node.
        #[arg(long)]
        only: Vec<String>,
        /// A Markdown file whose figures are replaced.
        #[arg(long)]
        write: Option<PathBuf>,
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

#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse().command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            use std::io::Write as _;
            // Nothing is left to do when standard error is gone too.
            let _ = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<(), ScenarioError> {
    match command {
        Command::Run {
            programs,
            only,
            write,
        } => measure(programs, &only, write).await,
        Command::Hosts {
            server,
            api_key_file,
            hosts,
        } => {
            let api_key = std::fs::read_to_string(api_key_file)?.trim().to_owned();
            let epoch = format!("{:016x}", rand::random::<u64>());
            let plan = FleetPlan {
                server,
                api_key,
                hosts,
                interval: Some(Duration::from_secs(1)),
                epoch,
            };
            let fleet = FleetLoad::start(plan).await?;
            tokio::signal::ctrl_c().await?;
            fleet.stop().await;
            Ok(())
        }
    }
}

async fn measure(programs: PathBuf, only: &[String], write: Option<PathBuf>) -> Result<(), ScenarioError> {
    let server = programs.join("socket-server");
    let client = programs.join("node-client");
    let wanted = |name: &str| only.is_empty() || only.iter().any(|one| one == name);
    let small = LivePlan {
        hosts: 1_000,
        viewers: 4,
        duration: Duration::from_secs(60),
        p99_goal_ms: 20.0,
    };
    let large = LivePlan {
        hosts: 10_000,
        p99_goal_ms: 100.0,
        ..small
    };
    let mut figures = Vec::new();
    if wanted("live") {
        figures.extend(note(scenario::live(&server, small).await?)?);
    }
    if wanted("live-10000") {
        figures.extend(note(scenario::live(&server, large).await?)?);
    }
    if wanted("stalled") {
        figures.extend(note(scenario::stalled_viewers(&server, small).await?)?);
    }
    if wanted("idle") {
        figures.extend(note(scenario::idle_sockets(&server).await?)?);
    }
    if wanted("reconnect") {
        figures.extend(note(scenario::reconnect(&server).await?)?);
    }
    if wanted("node") {
        figures.extend(note(scenario::node_client(&server, &client).await?)?);
    }
    if let Some(path) = write {
        let document = std::fs::read_to_string(&path)?;
        let missing =
            || std::io::Error::other(format!("{} lacks the markers {BEGIN} and {END}", path.display()));
        let text = replace_between(&document, BEGIN, END, &markdown_table(&figures)).ok_or_else(missing)?;
        std::fs::write(&path, text)?;
    }
    Ok(())
}

/// Prints figures as soon as they are known: a whole run takes minutes.
fn note(figures: Vec<Figure>) -> Result<Vec<Figure>, ScenarioError> {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    for figure in &figures {
        writeln!(out, "{}: {} {}", figure.name, figure.value, figure.goal)?;
    }
    Ok(figures)
}
