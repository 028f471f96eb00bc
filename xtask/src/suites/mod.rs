//! `cargo xtask test`: the suites, what each needs, and the line of totals.

mod browser;
mod catalogue;
mod containers;
mod lab;
mod prerequisites;
mod python;
mod rust;
mod session;
mod shell;
mod summary;
mod web;

use std::{
    process::ExitCode,
    sync::{Mutex, PoisonError},
    thread,
    time::Instant,
};

use anyhow::{Result, bail};

use self::{
    catalogue::{Lane, SUITES, Suite, Turn},
    summary::Summary,
};
pub(crate) use self::{prerequisites::Prerequisites, session::Session};
use crate::{printer::Printer, test_counts::Counts, workspace::Workspace};

/// Which suites to run.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Runs only this suite; may be given several times.
    #[arg(long, value_name = "SUITE", conflicts_with = "without")]
    only: Vec<String>,
    /// Leaves this suite out, and says so at the end; may be given several times.
    #[arg(long, value_name = "SUITE")]
    without: Vec<String>,
    /// Names the suites and runs none.
    #[arg(long)]
    list: bool,
}

/// Runs the chosen suites, those of the two lanes side by side at the end; a failing one does not keep the next from
/// running.
pub(crate) fn run(workspace: &Workspace, printer: &Printer, options: &Options) -> Result<ExitCode> {
    if options.list {
        for suite in SUITES {
            printer.line(format_args!("{:<14} {}", suite.name, suite.about));
        }
        return Ok(ExitCode::SUCCESS);
    }
    for name in options.only.iter().chain(&options.without) {
        if !SUITES.iter().any(|suite| suite.name == name) {
            let names: Vec<&str> = SUITES.iter().map(|suite| suite.name).collect();
            bail!(
                "there is no suite \"{name}\"; the suites are {}",
                names.join(", ")
            );
        }
    }

    let (chosen, left_out): (Vec<_>, Vec<_>) = SUITES.iter().partition(|suite| {
        let named = |names: &[String]| names.iter().any(|name| name == suite.name);
        if options.only.is_empty() {
            !named(&options.without)
        } else {
            named(&options.only)
        }
    });
    let mut summary = Summary::default();
    if options.only.is_empty() {
        for suite in left_out {
            summary.left_out(suite.name);
        }
    }

    let mut session = Session::new(workspace, printer);
    let prerequisites = Prerequisites::install(&session, chosen.iter().flat_map(|suite| suite.groups));
    let of_turn = |turn: Turn| -> Vec<&Suite> {
        let suites = chosen.iter().copied();
        suites.filter(|suite| suite.turn == turn).collect()
    };
    let summary = Mutex::new(summary);
    run_each(&mut session, &prerequisites, &summary, &of_turn(Turn::Alone));
    let lanes = [Lane::Programs, Lane::Containers].map(|lane| of_turn(Turn::Lane(lane)));
    if lanes.iter().all(|lane| !lane.is_empty()) {
        prepare_lanes(&mut session);
    }
    thread::scope(|scope| {
        for lane in &lanes {
            let mut session = session.clone();
            let (prerequisites, summary) = (&prerequisites, &summary);
            scope.spawn(move || run_each(&mut session, prerequisites, summary, lane));
        }
    });
    let summary = summary.into_inner().unwrap_or_else(PoisonError::into_inner);
    summary.print(printer);
    Ok(if summary.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Makes what both lanes need: two that make it at once would meet in one folder. An error comes again in the suite that
/// needs the thing.
fn prepare_lanes(session: &mut Session<'_>) {
    drop(session.workspace_build());
    drop(session.node_modules(browser::FOLDER));
}

/// Runs suites one after the other.
fn run_each(
    session: &mut Session<'_>,
    prerequisites: &Prerequisites,
    summary: &Mutex<Summary>,
    suites: &[&Suite],
) {
    let printer = session.printer;
    for suite in suites {
        let started = Instant::now();
        printer.heading(format_args!("==> {}: {}", suite.name, suite.about));
        session.enter(suite.name);
        let outcome = prerequisites
            .check(suite.groups)
            .and_then(|()| (suite.run)(session));
        let counts = outcome.unwrap_or_else(|error| {
            printer.error(&error);
            Counts::one(false)
        });
        let mut summary = summary.lock().unwrap_or_else(PoisonError::into_inner);
        summary.ran(printer, suite.name, counts, started);
    }
}
