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

use std::{process::ExitCode, time::Instant};

use anyhow::{Result, bail};

use self::{catalogue::SUITES, summary::Summary};
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

/// Runs the chosen suites one after the other; a failing one does not keep the next from running.
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
    for suite in chosen {
        let started = Instant::now();
        printer.heading(format_args!("==> {}: {}", suite.name, suite.about));
        session.enter(suite.name);
        let outcome = prerequisites
            .check(suite.groups)
            .and_then(|()| (suite.run)(&mut session));
        let counts = outcome.unwrap_or_else(|error| {
            printer.error(&error);
            Counts::one(false)
        });
        summary.ran(printer, suite.name, counts, started);
    }
    summary.print(printer);
    Ok(if summary.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
