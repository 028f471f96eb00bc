//! `socket-server backup` and `restore`: a copy of an embedded store's folder.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::ArgMatches;
use socket_server::{
    config::StoreLocation,
    store::embedded::OpenError,
    transfer::{self, BackupError},
};

use super::{
    Printer, cli,
    open_store::Failure,
    running::{self, Deed},
};

/// Copies the store's folder: by itself, or by the server that has it open.
pub(super) fn backup(printer: &mut Printer, given: &ArgMatches) -> ExitCode {
    run(printer, given, "back up", |path, store| {
        match transfer::back_up(store, path) {
            Err(held @ BackupError::Store(OpenError::Locked { .. })) => backup_of_running(path, store, held),
            done => Ok(done?.to_string()),
        }
    })
}

fn backup_of_running(path: &Path, store: &Path, held: BackupError) -> Result<String, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let told = runtime.block_on(running::ask(store, Deed::Backup, path))?;
    Ok(told.ok_or(held)?.join("\n"))
}

/// Puts a copy into a new folder.
pub(super) fn restore(printer: &mut Printer, given: &ArgMatches) -> ExitCode {
    run(printer, given, "restore", |path, store| {
        Ok(transfer::restore(path, store)?.to_string())
    })
}

fn run(
    printer: &mut Printer,
    given: &ArgMatches,
    verb: &str,
    copy: impl FnOnce(&Path, &Path) -> Result<String, Failure>,
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
            printer.line(&done);
            ExitCode::SUCCESS
        }
        Err(error) => {
            printer.trouble(&format!("cannot {verb}: {error}"));
            ExitCode::FAILURE
        }
    }
}
