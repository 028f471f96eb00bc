//! The suites over the Rust crates: format, clippy, tests.

use anyhow::Result;

use super::Session;
use crate::test_counts::{Counts, cargo_test};

/// `cargo fmt --check`.
pub(super) fn format(session: &mut Session<'_>) -> Result<Counts> {
    session.check(
        "cargo fmt",
        session.workspace.cargo().args(["fmt", "--all", "--check"]),
    )
}

/// Clippy with every warning denied.
pub(super) fn clippy(session: &mut Session<'_>) -> Result<Counts> {
    let mut command = session.workspace.cargo();
    command.args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--keep-going",
    ]);
    session.check("cargo clippy", command.args(["--", "-D", "warnings"]))
}

/// What proptest's cases are made from: the suite says the same of the same sources each time. `cargo test` by itself
/// tries others.
const SEED: (&str, &str) = ("PROPTEST_RNG_SEED", "20260101");

/// Every test of every crate.
pub(super) fn tests(session: &mut Session<'_>) -> Result<Counts> {
    session.workspace_build()?;
    let mut command = session.workspace.cargo();
    command.args(["test", "--workspace", "--locked", "--no-fail-fast"]);
    command.env(SEED.0, SEED.1);
    session.tests("cargo test", &mut command, cargo_test)
}
