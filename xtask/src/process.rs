//! Runs other programs: output into a log, a sign of life while they run, and an end in any case.

use std::{
    fs::{self, File},
    path::Path,
    process::{Child, Command, ExitCode, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};

use crate::printer::Printer;

/// How often a running program is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// How often a long run says that it is still going: rare enough for a log, often enough for a person.
const SIGN_OF_LIFE: Duration = Duration::from_secs(30);
/// A program that takes longer than this hangs. The slowest, a cold build, takes a third of it on two cores.
const LONGEST: Duration = Duration::from_secs(45 * 60);

/// How a program ended.
#[derive(Debug)]
pub(crate) struct Finished {
    /// Whether it ended by itself, with status 0.
    pub(crate) success: bool,
    /// What it wrote, both streams in the order of writing.
    pub(crate) output: String,
}

/// Runs a program to its end with both output streams in `log`; `label` names it in the signs of life.
pub(crate) fn run(printer: &Printer, label: &str, log: &Path, command: &mut Command) -> Result<Finished> {
    if let Some(folder) = log.parent() {
        fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    }
    let file = File::create(log).with_context(|| format!("{} cannot be written", log.display()))?;
    let errors = file.try_clone().context("the log cannot be shared")?;
    let child = command
        .stdin(Stdio::null())
        .stdout(file)
        .stderr(errors)
        .spawn()
        .with_context(|| format!("{} could not be started", command.get_program().to_string_lossy()))?;
    let status = wait(printer, label, log, child)?;
    let output = String::from_utf8_lossy(&fs::read(log).unwrap_or_default()).into_owned();
    Ok(Finished {
        success: status.is_some_and(|status| status.success()),
        output,
    })
}

/// Runs a program with this one's own streams and passes its exit status on.
pub(crate) fn pass_through(command: &mut Command) -> Result<ExitCode> {
    let status = command
        .status()
        .with_context(|| format!("{} could not be started", command.get_program().to_string_lossy()))?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Minutes and seconds, as in `2m05s`.
pub(crate) fn elapsed(since: Instant) -> String {
    let seconds = since.elapsed().as_secs();
    if seconds < 60 {
        format!("{seconds}s")
    } else {
        format!("{}m{:02}s", seconds / 60, seconds % 60)
    }
}

/// The status, or nothing when the program had to be ended.
fn wait(printer: &Printer, label: &str, log: &Path, mut child: Child) -> Result<Option<ExitStatus>> {
    let started = Instant::now();
    let mut said = Instant::now();
    loop {
        if let Some(status) = child.try_wait().context("the program cannot be waited for")? {
            return Ok(Some(status));
        }
        if started.elapsed() > LONGEST {
            printer.line(format_args!("      {label}: ended after {}", elapsed(started)));
            child.kill().context("the program cannot be ended")?;
            child.wait().context("the program cannot be waited for")?;
            return Ok(None);
        }
        if said.elapsed() > SIGN_OF_LIFE {
            said = Instant::now();
            printer.line(format_args!(
                "      {label}: {} {}",
                elapsed(started),
                last_line(log)
            ));
        }
        thread::sleep(LOOK);
    }
}

/// The newest line of a log, cut to what fits beside a label.
fn last_line(log: &Path) -> String {
    const WIDTH: usize = 80;
    let bytes = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let line = text
        .lines()
        .rev()
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default();
    line.trim()
        .chars()
        .filter(|character| !character.is_control())
        .take(WIDTH)
        .collect()
}
