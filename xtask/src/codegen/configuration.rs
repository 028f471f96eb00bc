//! docs/configuration.md: what the socket server's own types say about its configuration.

use std::{path::Path, process::Command};

use anyhow::{Context, Result, ensure};

use crate::workspace::Workspace;

/// The generated file.
pub(super) const PATH: &str = "docs/configuration.md";
/// The program that prints it. It lies in e2e, so that this crate need not be built on top of the server.
pub(super) const GENERATOR: &str = "configuration-reference";
/// The generator's source.
pub(super) const SOURCE: &str = "e2e/src/bin/configuration-reference.rs";

/// Builds the generator, then runs it.
pub(super) fn build_and_generate(workspace: &Workspace) -> Result<String> {
    let mut command = workspace.cargo();
    command.args([
        "build",
        "--quiet",
        "--package",
        "metric-flow-e2e",
        "--bin",
        GENERATOR,
    ]);
    let status = command.status().context("cargo could not be started")?;
    ensure!(status.success(), "the generator of {PATH} does not build");
    generate(&workspace.target.join("debug").join(GENERATOR))
}

/// What the generator prints.
pub(super) fn generate(program: &Path) -> Result<String> {
    let output = Command::new(program)
        .output()
        .with_context(|| format!("{} could not be started", program.display()))?;
    ensure!(
        output.status.success(),
        "{GENERATOR} failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).context("the configuration reference is not UTF-8")
}
