//! The lab: hosts made as containers, and rollouts to them.

use anyhow::Result;

use super::Session;
use crate::test_counts::{Counts, cargo_test};

/// Runs the deployer's tests that need hosts: all test files whose name begins with `lab_`.
pub(super) fn run(session: &mut Session<'_>) -> Result<Counts> {
    session.dashboard()?;
    let mut command = session.workspace.cargo();
    command.args([
        "test",
        "--package",
        "metric-flow-deployer",
        "--features",
        "lab-tests",
    ]);
    command.args(["--test", "lab_*", "--locked", "--no-fail-fast"]);
    session.tests("cargo test", &mut command, cargo_test)
}
