//! `cargo xtask torture`: the fault suite for as long as wanted.

use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, Result};

use crate::{
    printer::Printer,
    process,
    suites::Session,
    test_counts::{Counts, cargo_test},
    workspace::Workspace,
};

/// The program that runs seeds.
const PROGRAM: &str = "metric-flow-torture";

/// Builds the programs and runs seeds, with this program's own streams and exit status.
pub(crate) fn run(workspace: &Workspace, printer: &Printer, arguments: &[String]) -> Result<ExitCode> {
    printer.heading(format_args!("==> building the programs"));
    let mut build = workspace.cargo();
    // As the test command builds them, so that one build serves both.
    build.args(["build", "--workspace", "--all-targets", "--locked", "--quiet"]);
    if process::pass_through(&mut build)? != ExitCode::SUCCESS {
        return Ok(ExitCode::FAILURE);
    }
    let namespace = namespace(workspace)?.context(NO_DISKS)?;
    process::pass_through(command(workspace, Some(namespace)).args(arguments))
}

/// Runs of the test command: every kind of fault on every ground, many times.
const RUNS_IN_TESTS: &str = "200";

/// The fault suite as a part of the test command. Where nothing may be mounted, the runs with full disks are left out and
/// counted as that.
pub(crate) fn suite(session: &mut Session<'_>) -> Result<Counts> {
    session.workspace_build()?;
    let namespace = namespace(session.workspace)?;
    let mut runs = command(session.workspace, namespace);
    runs.args(["--runs", RUNS_IN_TESTS]);
    if namespace.is_none() {
        session.printer.line(format_args!("    {NO_DISKS}"));
        runs.arg("--without-full-disks");
    }
    session.tests("seeded runs", &mut runs, cargo_test)
}

/// Why there are no small disks.
const NO_DISKS: &str = "full disks are small file systems that this suite mounts, and this user may not mount any, not \
                        even in a user namespace of its own: run as root";

/// The built program, in a mount namespace of its own where there is one: disks that it mounts are gone with it, however
/// it ends.
fn command(workspace: &Workspace, namespace: Option<&[&str]>) -> Command {
    let program = workspace.target.join("debug").join(PROGRAM);
    let mut command = match namespace {
        Some(namespace) => {
            let mut command = workspace.command("unshare");
            command.args(namespace).arg("--").arg(program);
            command
        }
        None => workspace.command(program),
    };
    command.arg("--evidence").arg(workspace.target.join("torture"));
    command
}

/// What `unshare` is told: root needs no user namespace, others get one in which they may mount. `None` where neither may.
fn namespace(workspace: &Workspace) -> Result<Option<&'static [&'static str]>> {
    const WAYS: [&[&str]; 2] = [&["--mount"], &["--user", "--map-root-user", "--mount"]];
    for way in WAYS {
        let mut trial = workspace.command("unshare");
        trial
            .args(way)
            .args(["--", "sh", "-c", "mount -t tmpfs tmpfs /mnt"]);
        trial
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let status = trial.status();
        if status
            .context("unshare (util-linux) could not be started")?
            .success()
        {
            return Ok(Some(way));
        }
    }
    Ok(None)
}
