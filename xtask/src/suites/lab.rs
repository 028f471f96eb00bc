//! The lab: hosts made as containers, and rollouts to them.

use anyhow::Result;

use super::{Session, browser};
use crate::test_counts::{Counts, cargo_test};

/// Runs the deployer's tests that need hosts: all test files whose name begins with `lab_`.
pub(super) fn run(session: &mut Session<'_>) -> Result<Counts> {
    session.dashboard()?;
    // A rollout ends with a person who sees the hosts live.
    session.node_modules(browser::FOLDER)?;
    let mut command = session.workspace.cargo();
    command.args([
        "test",
        "--package",
        "metric-flow-deployer",
        "--features",
        "lab-tests",
    ]);
    command.args(["--test", "lab_*", "--locked", "--no-fail-fast"]);
    session.node()?.lend(&mut command);
    command.env("SCREENSHOTS", session.workspace.cache("screenshots"));
    session.tests("cargo test", &mut command, cargo_test)
}
