//! `socket-server backup` and `restore`: a copy of an embedded store's folder.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::ArgMatches;
use socket_server::{
    config::StoreLocation,
    transfer::{self, Backup, BackupError},
};

use super::{Printer, cli};

/// Copies the store's folder.
pub(super) fn backup(printer: &mut Printer, given: &ArgMatches) -> ExitCode {
    run(printer, given, "back up", |path, store| {
        transfer::back_up(store, path)
    })
}

/// Puts a copy into a new folder.
pub(super) fn restore(printer: &mut Printer, given: &ArgMatches) -> ExitCode {
    run(printer, given, "restore", transfer::restore)
}

fn run(
    printer: &mut Printer,
    given: &ArgMatches,
    verb: &str,
    copy: impl FnOnce(&Path, &Path) -> Result<Backup, BackupError>,
) -> ExitCode {
    let config = match cli::configuration(given) {
        Ok(config) => config,
        Err(problems) => return cli::report(printer, &problems),
    };
    let Some(path) = given.get_one::<PathBuf>("path") else {
        return ExitCode::from(cli::EXIT_USAGE);
    };
    let StoreLocation::Embedded(store) = &config.store else {
        printer.trouble(&format!(
            "cannot {verb}: only an embedded store is a folder; give --store embedded:FOLDER, or use `export` and `import`"
        ));
        return ExitCode::from(cli::EXIT_CONFIG);
    };
    match copy(path, store) {
        Ok(done) => {
            printer.line(&format!("{} files, {} bytes", done.files, done.bytes));
            ExitCode::SUCCESS
        }
        Err(error) => {
            printer.trouble(&format!("cannot {verb}: {error}"));
            ExitCode::FAILURE
        }
    }
}
