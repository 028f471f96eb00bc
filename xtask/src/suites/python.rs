//! The Python client: written from docs/protocol.md alone, it must show up in a real server.

use anyhow::{Result, ensure};

use super::Session;
use crate::test_counts::{Counts, unittest};

/// Where the client and its tests are.
const FOLDER: &str = "e2e/python-client";

/// Runs the client's tests with the path of a freshly built server.
pub(super) fn run(session: &mut Session<'_>) -> Result<Counts> {
    ensure!(session.workspace.has(FOLDER), "{FOLDER} is missing");
    session.workspace_build()?;
    let mut command = session.workspace.command("python3");
    command
        .args([
            "-m",
            "unittest",
            "discover",
            "--verbose",
            "--start-directory",
            FOLDER,
        ])
        .env("SOCKET_SERVER", session.program("socket-server"))
        .env("PYTHONDONTWRITEBYTECODE", "1");
    session.tests("python unittest", &mut command, unittest)
}
