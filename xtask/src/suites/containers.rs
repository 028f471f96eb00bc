//! Containers: the images are built and compose.yaml is brought up with Podman.

use anyhow::{Result, ensure};

use super::Session;
use crate::test_counts::{Counts, tap};

/// The tests, and what they need.
const FOLDER: &str = "e2e/containers";

/// Runs the bats file that builds the images on locally made bases and brings the services up.
pub(super) fn run(session: &mut Session<'_>) -> Result<Counts> {
    ensure!(session.workspace.has(FOLDER), "{FOLDER} is missing");
    session.dashboard()?;
    let mut command = session.workspace.command("bats");
    command.args(["--tap", FOLDER]);
    session.tests("bats", &mut command, tap)
}
