//! System packages: asks `provision/dev-setup.sh` what is missing, and has it installed where that may be done.

use std::{collections::BTreeSet, process::Command};

use anyhow::{Result, bail};

use super::Session;

/// The script that knows the packages of each group on each kind of system.
const SCRIPT: &str = "provision/dev-setup.sh";

/// The groups that are still missing something after the installation.
#[derive(Debug)]
pub(crate) struct Prerequisites {
    missing: BTreeSet<String>,
}

impl Prerequisites {
    /// Installs what the groups lack. What cannot be installed fails the suites that need it, with the remedy.
    pub(crate) fn install<'a>(session: &Session<'_>, groups: impl IntoIterator<Item = &'a &'a str>) -> Self {
        let wanted: BTreeSet<&str> = groups.into_iter().copied().collect();
        let missing = missing(session, &wanted);
        if missing.is_empty() {
            return Self { missing };
        }
        let Some(mut command) = privileged(session) else {
            return Self { missing };
        };
        session.printer.heading(format_args!(
            "==> setup: installing system packages for {}",
            missing.iter().cloned().collect::<Vec<_>>().join(", ")
        ));
        command.args(&missing);
        if let Err(error) = session.run("system packages", &mut command) {
            session.printer.error(&error);
        }
        Self {
            missing: self::missing(session, &wanted),
        }
    }

    /// An error with the line to run when one of the groups is incomplete.
    pub(crate) fn check(&self, groups: &[&str]) -> Result<()> {
        let missing: Vec<&str> = groups
            .iter()
            .copied()
            .filter(|group| self.missing.contains(*group))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        bail!(
            "system packages are missing; run: sudo {SCRIPT} {}",
            missing.join(" ")
        )
    }
}

/// The groups that lack something. A script that cannot be run lacks everything.
fn missing(session: &Session<'_>, groups: &BTreeSet<&str>) -> BTreeSet<String> {
    if groups.is_empty() {
        return BTreeSet::new();
    }
    let output = session
        .workspace
        .command("bash")
        .arg(SCRIPT)
        .arg("--missing")
        .args(groups)
        .output();
    match output {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout)
            .split_whitespace()
            .map(str::to_owned)
            .collect(),
        _ => groups.iter().map(|group| (*group).to_owned()).collect(),
    }
}

/// The installation's command, when this user may run it without being asked for a password.
fn privileged(session: &Session<'_>) -> Option<Command> {
    let answers = |program: &str, arguments: &[&str]| {
        Command::new(program)
            .args(arguments)
            .output()
            .ok()
            .filter(|output| output.status.success())
    };
    let root = answers("id", &["-u"]).is_some_and(|output| output.stdout.trim_ascii() == b"0");
    if root {
        let mut command = session.workspace.command("bash");
        command.arg(SCRIPT);
        return Some(command);
    }
    answers("sudo", &["-n", "true"])?;
    let mut command = session.workspace.command("sudo");
    command.args(["-n", "bash", SCRIPT]);
    Some(command)
}
