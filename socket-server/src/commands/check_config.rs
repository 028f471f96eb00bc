//! `socket-server check-config`.

use std::process::ExitCode;

use clap::ArgMatches;

use super::{Printer, cli};

/// Checks the configuration without binding or opening anything.
pub(super) fn check_config(printer: &mut Printer, given: &ArgMatches) -> ExitCode {
    match cli::configuration(given) {
        Ok(_) => {
            printer.line("the configuration is valid");
            ExitCode::SUCCESS
        }
        Err(problems) => cli::report(printer, &problems),
    }
}
