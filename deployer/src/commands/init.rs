//! `deployer init`.

use std::{io::Write as _, path::Path};

use crate::{
    error::{Exit, Failure},
    inventory,
    printer::Printer,
};

/// Writes a hosts.toml to start from; one that exists stays as it is.
///
/// # Errors
///
/// When there is one already, or it cannot be written.
pub fn run(file: &Path, printer: &Printer) -> Result<Exit, Failure> {
    let written = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(file)
        .and_then(|mut open| open.write_all(inventory::example().as_bytes()));
    written.map_err(|error| Failure::because(format!("cannot write {}", file.display()), &error))?;
    printer.say(&format!(
        "{} is written; put in your machines, then `deployer check`",
        file.display()
    ));
    Ok(Exit::Done)
}
