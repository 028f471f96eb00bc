//! The programs of the demonstration: how they are built and how they are called.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

use crate::{
    printer::Printer,
    suites::{Prerequisites, Session},
    workspace::Workspace,
};

/// Where the release programs are.
#[derive(Debug)]
pub(super) struct Programs {
    folder: PathBuf,
}

impl Programs {
    /// Builds the dashboard and the programs; does nothing where nothing has changed.
    pub(super) fn build(workspace: &Workspace, printer: &Printer, simulated: bool) -> Result<Self> {
        let mut session = Session::new(workspace, printer);
        session.enter("demo");
        Prerequisites::install(&session, &["base", "rust"]).check(&["base", "rust"])?;
        session.dashboard()?;
        let mut command = workspace.cargo();
        command.args(["build", "--release", "--locked"]);
        command.args([
            "--package",
            "metric-flow-socket-server",
            "--package",
            "metric-flow-node-client",
        ]);
        if simulated {
            command.args(["--package", "metric-flow-bench"]);
        }
        // Cargo's own progress is the best there is: it has the terminal.
        let status = command.status().context("cargo could not be started")?;
        ensure!(
            status.success(),
            "the programs do not build; the compiler's output is above"
        );
        Ok(Self {
            folder: workspace.target.join("release"),
        })
    }

    /// The server, on an embedded store.
    pub(super) fn server(&self, listen: &str, store: &Path) -> Command {
        let mut command = Command::new(self.folder.join("socket-server"));
        command.args(["serve", "--listen", listen, "--store"]);
        command.arg(format!("embedded:{}", store.display()));
        command
    }

    /// This machine's node-client.
    pub(super) fn node_client(&self, origin: &str, key_file: &Path, spool: &Path) -> Command {
        let mut command = Command::new(self.folder.join("node-client"));
        command
            .args(["connect", "--server", origin, "--api-key-file"])
            .arg(key_file);
        command
            .arg("--spool-dir")
            .arg(spool)
            .args(["--label", "demo=this-machine"]);
        command
    }

    /// Simulated hosts, when some are wanted.
    pub(super) fn simulated_hosts(&self, origin: &str, key_file: &Path, hosts: usize) -> Option<Command> {
        let address = origin.split_once("://")?.1.trim_end_matches('/');
        let mut command = Command::new(self.folder.join("metric-flow-bench"));
        command
            .args(["hosts", "--server", address, "--api-key-file"])
            .arg(key_file);
        command.args(["--hosts", &hosts.to_string()]);
        (hosts > 0).then_some(command)
    }
}
