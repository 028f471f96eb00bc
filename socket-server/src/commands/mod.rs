//! The command line: one file for each command.

mod backup;
mod check_config;
mod cli;
mod healthcheck;
mod moving;
mod open_store;
mod printer;
mod running;
mod runtime;
mod serve;

use std::process::ExitCode;

pub(crate) use printer::Printer;

/// Runs what the command line asks for.
pub(crate) fn run() -> ExitCode {
    let mut printer = Printer;
    let matches = cli::command().get_matches();
    match matches.subcommand() {
        Some(("serve", given)) => serve::serve(&mut printer, given),
        Some(("check-config", given)) => check_config::check_config(&mut printer, given),
        Some(("healthcheck", given)) => healthcheck::healthcheck(&mut printer, given),
        Some(("export", given)) => moving::run(&mut printer, given, moving::Direction::Export),
        Some(("import", given)) => moving::run(&mut printer, given, moving::Direction::Import),
        Some(("backup", given)) => backup::backup(&mut printer, given),
        Some(("restore", given)) => backup::restore(&mut printer, given),
        Some(("completions", given)) => cli::completions(&mut printer, given),
        _ => ExitCode::from(cli::EXIT_USAGE),
    }
}
