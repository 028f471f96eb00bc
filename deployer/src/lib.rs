//! From a Compose file and a list of hosts to running machines, and back.
//!
//! `compose` and `inventory` read what is wanted, `containers`, `firewall` and `remote` see and change what is there,
//! `plan` compares the two without any IO, `execute` does what the plan says, and `commands` has one file per verb.

pub mod cli;
pub mod commands;
pub mod compose;
pub mod containers;
pub mod error;
pub mod inventory;
pub mod lab;
pub mod printer;
pub mod progress;
pub mod remote;

use cli::{Cli, Command};
use error::{Exit, Failure};
use printer::Printer;

/// Runs one command line to its end.
///
/// # Errors
///
/// What went wrong, why, and what to do next, with the status to exit with.
pub async fn run(cli: Cli, printer: &Printer) -> Result<Exit, Failure> {
    match cli.command {
        Command::Lab { command } => {
            let progress = progress::for_this_terminal(cli.quiet);
            Ok(lab::run(command, progress.as_ref(), printer).await?)
        }
        Command::Completions { shell } => commands::completions::run(shell, printer),
        Command::Man { directory } => commands::man::run(directory.as_deref(), printer),
    }
}
