//! Generated files: the dashboard's wire types and the configuration reference, with a check mode.

mod configuration;
mod typescript;

use std::{fs, path::Path, process::ExitCode};

use anyhow::{Context, Result};

use crate::{printer::Printer, suites::Session, test_counts::Counts, workspace::Workspace};

/// Writes the generated files, or only compares them.
pub(crate) fn run(workspace: &Workspace, printer: &Printer, check: bool) -> Result<ExitCode> {
    let mut stale = false;
    let mut files = vec![(typescript::PATH, typescript::generate())];
    if workspace.has(configuration::SOURCE) {
        files.push((configuration::PATH, configuration::build_and_generate(workspace)?));
    }
    for (path, text) in files {
        if is_current(workspace, path, &text) {
            printer.line(format_args!("{path}: up to date"));
        } else if check {
            printer.line(format_args!("{path}: not up to date; run: cargo xtask codegen"));
            stale = true;
        } else {
            write(&workspace.root.join(path), &text)?;
            printer.line(format_args!("{path}: written"));
        }
    }
    Ok(if stale {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// The check as a suite, with the generator of the workspace's own build.
pub(crate) fn suite(session: &mut Session<'_>) -> Result<Counts> {
    session.workspace_build()?;
    let mut counts = Counts::default();
    for (path, text) in [
        (typescript::PATH, typescript::generate()),
        (
            configuration::PATH,
            configuration::generate(&session.program(configuration::GENERATOR))?,
        ),
    ] {
        let current = is_current(session.workspace, path, &text);
        if !current {
            session.printer.line(format_args!(
                "    {path} is not up to date; run: cargo xtask codegen"
            ));
        }
        counts += Counts::one(current);
    }
    Ok(counts)
}

fn is_current(workspace: &Workspace, path: &str, text: &str) -> bool {
    fs::read_to_string(workspace.root.join(path)).is_ok_and(|found| found == text)
}

fn write(path: &Path, text: &str) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    }
    fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))
}
