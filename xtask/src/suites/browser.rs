//! Browser tests: Playwright drives the system's Chromium against a real server and a real node-client.

use anyhow::{Result, ensure};

use super::Session;
use crate::test_counts::{Counts, node_test};

/// Where the tests and their packages are.
pub(super) const FOLDER: &str = "e2e/browser";

/// Runs the tests one file after the other: each starts a server and a browser of its own.
pub(super) fn run(session: &mut Session<'_>) -> Result<Counts> {
    ensure!(
        session.workspace.has("e2e/browser/package.json"),
        "{FOLDER} is missing"
    );
    session.workspace_build()?;
    session.node_modules(FOLDER)?;
    let folder = session.workspace.root.join(FOLDER);
    let mut command = session.node()?.npm(&folder, &["test"]);
    command
        .env("SOCKET_SERVER", session.program("socket-server"))
        .env("NODE_CLIENT", session.program("node-client"))
        .env("LOAD_GENERATOR", session.program("metric-flow-bench"))
        .env("SCREENSHOTS", session.workspace.cache("screenshots"));
    session.tests("playwright", &mut command, node_test)
}
