//! The lab: hosts made as containers, and a rollout to them.

use anyhow::{Result, ensure};

use super::Session;
use crate::test_counts::{Counts, tap};

/// The tests: a bats folder, like that of the containers suite.
const FOLDER: &str = "e2e/lab";

/// Builds the deployer, then runs the tests with its path.
pub(super) fn run(session: &mut Session<'_>) -> Result<Counts> {
    ensure!(session.workspace.has(FOLDER), "{FOLDER} is missing");
    session.workspace_build()?;
    let mut command = session.workspace.command("bats");
    command
        .args(["--tap", FOLDER])
        .env("DEPLOYER", session.program("deployer"));
    session.tests("bats", &mut command, tap)
}
