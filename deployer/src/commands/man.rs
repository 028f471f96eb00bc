//! `deployer man [--directory DIR]`.

use std::path::Path;

use clap::CommandFactory as _;

use crate::{
    cli::Cli,
    error::{Exit, Failure},
    printer::Printer,
};

/// Prints `deployer.1`, or writes it and the page of each command into `directory`.
///
/// # Errors
///
/// When a page cannot be written.
pub fn run(directory: Option<&Path>, printer: &Printer) -> Result<Exit, Failure> {
    let command = Cli::command();
    let Some(directory) = directory else {
        let mut page = Vec::new();
        clap_mangen::Man::new(command)
            .render(&mut page)
            .map_err(|error| Failure::because("cannot render the manual page", &error))?;
        printer.raw(&page);
        return Ok(Exit::Done);
    };
    std::fs::create_dir_all(directory)
        .and_then(|()| clap_mangen::generate_to(command, directory))
        .map_err(|error| {
            Failure::because(
                format!("cannot write manual pages to {}", directory.display()),
                &error,
            )
        })?;
    printer.say(&format!("manual pages written to {}", directory.display()));
    Ok(Exit::Done)
}
