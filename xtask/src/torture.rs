//! `cargo xtask torture`: the fault suite for as long as wanted.

use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};

use crate::{printer::Printer, process, workspace::Workspace};

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
    process::pass_through(command(workspace)?.args(arguments))
}

/// The built program in a mount namespace of its own: disks that it mounts are gone with it, however it ends.
fn command(workspace: &Workspace) -> Result<Command> {
    let namespace = namespace(workspace)?;
    let mut command = workspace.command("unshare");
    command
        .args(namespace)
        .arg("--")
        .arg(workspace.target.join("debug").join(PROGRAM))
        .arg("--evidence")
        .arg(workspace.target.join("torture"));
    Ok(command)
}

/// What `unshare` is told: root needs no user namespace, others get one in which they may mount.
fn namespace(workspace: &Workspace) -> Result<&'static [&'static str]> {
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
        if trial
            .status()
            .context("unshare (util-linux) could not be started")?
            .success()
        {
            return Ok(way);
        }
    }
    bail!(
        "full disks are small file systems that this suite mounts, and this user may not mount any, not even in a \
         user namespace of its own: run as root"
    )
}
