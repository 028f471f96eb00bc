//! `cargo xtask demo`: this machine's metrics in a browser, by one command.

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::{printer::Printer, workspace::Workspace};

/// How large the demonstration is.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Simulated hosts beside this machine.
    #[arg(long, default_value_t = 0)]
    hosts: usize,
}

/// Not there yet.
pub(crate) fn run(_workspace: &Workspace, _printer: &Printer, options: &Options) -> Result<ExitCode> {
    bail!("the demonstration of {} hosts is not there yet", options.hosts)
}
