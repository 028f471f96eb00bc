//! Shell scripts: shellcheck over all of them, and their bats tests.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Result;

use super::Session;
use crate::{
    test_counts::{Counts, tap},
    tidy::sources,
};

/// Shellcheck, then every `.bats` file.
pub(super) fn run(session: &mut Session<'_>) -> Result<Counts> {
    let files = sources::walk(&session.workspace.root)?;
    let scripts: Vec<&PathBuf> = files.iter().filter(|path| is_script(session, path)).collect();
    let mut shellcheck = session.workspace.command("shellcheck");
    let mut counts = session.check(
        "shellcheck",
        shellcheck
            .args(["--external-sources", "--severity=warning"])
            .args(&scripts),
    )?;

    let tests: Vec<&PathBuf> = files.iter().filter(|path| is_test_of_a_script(path)).collect();
    if !tests.is_empty() {
        let mut bats = session.workspace.command("bats");
        counts += session.tests("bats", bats.arg("--tap").args(&tests), tap)?;
    }
    Ok(counts)
}

/// Those under e2e/ start whole systems, and belong to suites of their own.
fn is_test_of_a_script(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "bats") && !path.starts_with("e2e")
}

/// A script by its ending, or by its first line.
fn is_script(session: &Session<'_>, path: &PathBuf) -> bool {
    match path.extension().and_then(|ending| ending.to_str()) {
        Some(ending) => ending == "sh",
        None => fs::read(session.workspace.root.join(path)).is_ok_and(|bytes| {
            let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
            first.starts_with(b"#!") && (first.ends_with(b"bash") || first.ends_with(b"/sh"))
        }),
    }
}
