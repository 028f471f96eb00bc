//! What must hold for every source file and every crate: layers, owners, heads, sizes, names.

mod layers;
mod owners;
mod shape;
pub(crate) mod sources;

use std::{fs, path::Path, process::ExitCode};

use anyhow::{Context, Result};

use crate::{printer::Printer, suites::Session, test_counts::Counts, workspace::Workspace};

/// How many kinds of rules there are; each counts as one test.
const RULES: usize = 3;

/// Prints every violation.
pub(crate) fn run(workspace: &Workspace, printer: &Printer) -> Result<ExitCode> {
    let violations = violations(workspace)?;
    for violation in &violations {
        printer.line(violation);
    }
    if violations.is_empty() {
        printer.line("tidy: every rule holds");
        return Ok(ExitCode::SUCCESS);
    }
    printer.line(format_args!("tidy: {} violations", violations.len()));
    Ok(ExitCode::FAILURE)
}

/// The same as a suite.
pub(crate) fn suite(session: &mut Session<'_>) -> Result<Counts> {
    let violations = violations(session.workspace)?;
    for violation in &violations {
        session.printer.line(format_args!("    {violation}"));
    }
    let failed = violations.len().min(RULES);
    Ok(Counts {
        passed: RULES - failed,
        failed,
        skipped: 0,
    })
}

/// Every violation, as a line that names the file and what to do.
fn violations(workspace: &Workspace) -> Result<Vec<String>> {
    let mut found = layers::check(&workspace.metadata)?;
    for path in sources::walk(&workspace.root)? {
        found.extend(shape::check_name(&path));
        if sources::is_source(&path) {
            let text = fs::read_to_string(workspace.root.join(&path))
                .with_context(|| format!("{} cannot be read", path.display()))?;
            found.extend(check_file(&path, &text));
        }
    }
    Ok(found)
}

fn check_file(path: &Path, text: &str) -> Vec<String> {
    let mut found = shape::check_text(path, text);
    found.extend(owners::check(path, text));
    found
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn the_workspace_is_tidy() {
        let workspace = Workspace::find().expect("the workspace is there");
        let found = violations(&workspace).expect("the sources can be read");
        assert!(found.is_empty(), "{}", found.join("\n"));
    }
}
