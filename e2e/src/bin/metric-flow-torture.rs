//! `cargo xtask torture`: seeded runs of faults on real programs, as many as asked for.

use std::{
    io::{self, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use clap::Parser;
use metric_flow_e2e::{
    campaign::Campaign,
    plan::{Ground, Plan},
};

/// Kills, cuts and fills whatever can be killed, cut or filled, and then counts samples.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask torture")]
struct Arguments {
    /// How many seeds to run, from the first on.
    #[arg(long, default_value_t = 200)]
    runs: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    first_seed: u64,
    /// Runs only this seed, as often as it is given.
    #[arg(long)]
    seed: Vec<u64>,
    /// Runs at once.
    #[arg(long, default_value_t = 10)]
    at_once: usize,
    /// Where the files of failed runs go.
    #[arg(long, default_value = "target/torture")]
    evidence: PathBuf,
    /// Leaves out what needs a disk that is mounted for the run, and so needs root.
    #[arg(long)]
    without_full_disks: bool,
    /// Leaves out what needs SecantusDB from PyPI.
    #[arg(long)]
    without_mongodb: bool,
}

#[tokio::main(worker_threads = 2)]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let (without_disks, without_mongodb) = (arguments.without_full_disks, arguments.without_mongodb);
    let mut seeds = arguments.seed;
    if seeds.is_empty() {
        seeds.extend(arguments.first_seed..arguments.first_seed.saturating_add(arguments.runs));
    }
    let asked = seeds.len();
    seeds.retain(|seed| match Plan::of_seed(*seed).ground {
        Ground::Embedded => true,
        Ground::SmallStore | Ground::SmallSpools => !without_disks,
        Ground::MongoDb => !without_mongodb,
    });
    let left_out = asked - seeds.len();
    let campaign = Campaign {
        seeds,
        at_once: arguments.at_once,
        evidence: arguments.evidence,
    };
    let report = campaign.run(say).await;
    say(&report.summary());
    for failure in &report.failures {
        let seed = failure.split_whitespace().nth(1).unwrap_or_default();
        say(&format!("to repeat: cargo xtask torture --seed {seed}"));
    }
    // The line that `cargo xtask test` counts by: a run is a test.
    say(&format!(
        "test result: {} passed; {} failed; {left_out} ignored",
        report.passed,
        report.failures.len()
    ));
    if report.failures.is_empty() && report.passed > 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn say(line: &str) {
    // Without anybody to read it, the exit status still tells.
    let _ = writeln!(io::stdout(), "{line}");
}
