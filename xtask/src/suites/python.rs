//! The Python client: written from docs/protocol.md alone, it must show up in a real server.

use anyhow::{Result, ensure};

use super::Session;
use crate::test_counts::{Counts, unittest};

/// Where the client and its tests are.
const FOLDER: &str = "e2e/python-client";
/// What the client needs beyond Python itself; it goes into a folder of the checkout's own.
const REQUIREMENTS: &str = "e2e/python-client/requirements.txt";

/// Runs the client's tests with the path of a freshly built server.
pub(super) fn run(session: &mut Session<'_>) -> Result<Counts> {
    ensure!(session.workspace.has(FOLDER), "{FOLDER} is missing");
    session.workspace_build()?;
    let packages = session.workspace.cache("python");
    let mut pip = session.workspace.command("python3");
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--retries",
        "10",
        "--upgrade",
        "--target",
    ])
    .arg(&packages)
    .args(["--requirement", REQUIREMENTS]);
    session.require("the client's packages", &mut pip)?;
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
        .env("PYTHONPATH", &packages)
        .env("PYTHONDONTWRITEBYTECODE", "1");
    session.tests("python unittest", &mut command, unittest)
}
