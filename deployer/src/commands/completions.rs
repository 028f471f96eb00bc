//! `deployer completions SHELL`.

use clap::CommandFactory as _;

use crate::{
    cli::Cli,
    error::{Exit, Failure},
    printer::Printer,
};

/// Prints the completion script.
///
/// # Errors
///
/// None; the signature is that of every command.
pub fn run(shell: clap_complete::Shell, printer: &Printer) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "deployer", &mut script);
    printer.raw(&script);
    Ok(Exit::Done)
}
