//! What a scenario is given, and how it says what it is doing.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

/// What a scenario is given.
#[derive(Debug, Clone)]
pub struct Context {
    /// Folder of the release programs.
    pub programs: PathBuf,
    /// The project's folder.
    pub project: PathBuf,
    /// How long the soak takes.
    pub soak: Duration,
    /// How often the client of `endurance` is cut off.
    pub endurance_reconnects: u64,
}

impl Context {
    /// A program under test.
    pub fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    /// One line about what is going on, on standard error: standard output is for figures.
    pub fn say(&self, line: impl std::fmt::Display) {
        // A reader that went away is no reason to stop a measurement.
        let _ = writeln!(std::io::stderr(), "    {line}");
    }
}

/// Whether a program is in PATH or in one of the system's folders.
pub fn is_installed(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/usr/bin".into()])
        .any(|folder| Path::new(&folder).join(name).exists())
}

/// The last lines of what a program wrote, for an error's message.
pub fn tail(bytes: &[u8]) -> String {
    const LINES: usize = 20;
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}

/// A command's words, for messages.
pub fn words(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}
