//! What the suites of one run share: the log folder, the tools, and what is already built.

use std::{path::PathBuf, process::Command};

use anyhow::{Result, anyhow, bail};

use crate::{
    dashboard,
    node_tools::NodeTools,
    printer::Printer,
    process::{self, Finished},
    test_counts::Counts,
    workspace::Workspace,
};

/// One run of `cargo xtask test`; a clone goes on from what was built before it.
#[derive(Debug, Clone)]
pub(crate) struct Session<'a> {
    /// The workspace under test.
    pub(crate) workspace: &'a Workspace,
    /// Where progress goes.
    pub(crate) printer: &'a Printer,
    suite: &'static str,
    node: Option<NodeTools>,
    modules_installed: Vec<String>,
    dashboard_built: bool,
    workspace_built: Option<bool>,
}

impl<'a> Session<'a> {
    /// Nothing is built yet.
    pub(crate) fn new(workspace: &'a Workspace, printer: &'a Printer) -> Self {
        Self {
            workspace,
            printer,
            suite: "setup",
            node: None,
            modules_installed: Vec::new(),
            dashboard_built: false,
            workspace_built: None,
        }
    }

    /// Logs from here on belong to this suite.
    pub(crate) fn enter(&mut self, suite: &'static str) {
        self.suite = suite;
    }

    /// Where the log of a step goes.
    pub(crate) fn log(&self, step: &str) -> PathBuf {
        self.workspace
            .cache("test")
            .join(format!("{}-{}.log", self.suite, step.replace(' ', "-")))
    }

    /// Runs one program of the suite; all that it wrote is shown when it fails.
    pub(crate) fn run(&self, step: &str, command: &mut Command) -> Result<Finished> {
        self.printer.line(format_args!("    {step}"));
        let log = self.log(step);
        let finished = process::run(self.printer, &format!("{} {step}", self.suite), &log, command)?;
        if !finished.success {
            self.printer
                .line(format_args!("--- {} {step} failed; its output:", self.suite));
            self.printer.raw(finished.output.as_bytes());
            self.printer
                .line(format_args!("--- end of the output of {} {step}", self.suite));
        }
        Ok(finished)
    }

    /// A program that is one test by itself: it succeeds or not.
    pub(crate) fn check(&self, step: &str, command: &mut Command) -> Result<Counts> {
        Ok(Counts::one(self.run(step, command)?.success))
    }

    /// A test runner, with the reader for its closing lines.
    pub(crate) fn tests(
        &self,
        step: &str,
        command: &mut Command,
        count: fn(&str) -> Counts,
    ) -> Result<Counts> {
        let finished = self.run(step, command)?;
        Ok(count(&finished.output).or_failure(finished.success))
    }

    /// A program that others need; there is no going on without it.
    pub(crate) fn require(&self, step: &str, command: &mut Command) -> Result<()> {
        if self.run(step, command)?.success {
            Ok(())
        } else {
            bail!("{step} failed; its output is above")
        }
    }

    /// Node, new enough for the dashboard's tools.
    pub(crate) fn node(&mut self) -> Result<&NodeTools> {
        if self.node.is_none() {
            self.node = Some(NodeTools::find(self.workspace, self.printer)?);
        }
        self.node.as_ref().ok_or_else(|| anyhow!("Node was just found"))
    }

    /// Installs a folder's packages as its lock file says, once in a run.
    pub(crate) fn node_modules(&mut self, folder: &str) -> Result<()> {
        if self.modules_installed.iter().any(|installed| installed == folder) {
            return Ok(());
        }
        let folder_path = self.workspace.root.join(folder);
        let mut command = self.node()?.npm(&folder_path, &["ci", "--no-audit", "--no-fund"]);
        self.require(&format!("npm ci in {}", folder.replace('/', " ")), &mut command)?;
        self.modules_installed.push(folder.to_owned());
        Ok(())
    }

    /// Builds the dashboard into web/dist, from where the server's binary takes it. Once in a run.
    pub(crate) fn dashboard(&mut self) -> Result<()> {
        if self.dashboard_built || !self.workspace.has("web/package.json") {
            return Ok(());
        }
        let fingerprint = dashboard::fingerprint(self.workspace)?;
        if !dashboard::is_built(self.workspace, &fingerprint) {
            self.node_modules("web")?;
            let folder = self.workspace.root.join("web");
            let mut command = self.node()?.npm(&folder, &["run", "build"]);
            self.require("dashboard build", &mut command)?;
            dashboard::remember(self.workspace, &fingerprint)?;
        }
        self.dashboard_built = true;
        Ok(())
    }

    /// Builds every crate with all its targets, so that the tests, the programs and the benchmarks share one
    /// build with one set of features. Once in a run.
    pub(crate) fn workspace_build(&mut self) -> Result<()> {
        if self.workspace_built.is_none() {
            self.dashboard()?;
            let mut command = self.workspace.cargo();
            command.args([
                "build",
                "--workspace",
                "--all-targets",
                "--locked",
                "--keep-going",
            ]);
            self.workspace_built = Some(self.run("workspace build", &mut command)?.success);
        }
        match self.workspace_built {
            Some(true) => Ok(()),
            _ => bail!("the workspace does not build; the compiler's output is above"),
        }
    }

    /// A program of the workspace in its test build.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.workspace.target.join("debug").join(name)
    }
}
