//! `socket-server export` and `import`: a whole store to a file and back.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::ArgMatches;
use metric_flow_lifecycle::init_logging;
use socket_server::{
    config::{Config, StoreLocation},
    store::{TransferStore, embedded::OpenError},
    transfer,
};

use super::{
    Printer, cli,
    open_store::{Failure, open, open_existing},
    running::{self, Deed},
};

/// Which way things go.
#[derive(Clone, Copy)]
pub(super) enum Direction {
    /// From the store to the file.
    Export,
    /// From the file to the store.
    Import,
}

/// Moves everything one way and says what was moved.
pub(super) fn run(printer: &mut Printer, given: &ArgMatches, direction: Direction) -> ExitCode {
    let config = match cli::configuration(given) {
        Ok(config) => config,
        Err(problems) => return cli::report(printer, &problems),
    };
    let Some(path) = given.get_one::<PathBuf>("path") else {
        return ExitCode::from(cli::EXIT_USAGE);
    };
    init_logging(config.log_filter.as_deref(), config.log_format);
    let verb = match direction {
        Direction::Export => "export",
        Direction::Import => "import",
    };
    if matches!(config.store, StoreLocation::Memory) {
        printer.trouble(&format!(
            "cannot {verb}: the memory store ends with its server; give --store embedded:FOLDER or mongodb://…"
        ));
        return ExitCode::from(cli::EXIT_CONFIG);
    }
    let moved = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Failure::from)
        .and_then(|runtime| match direction {
            Direction::Export => runtime.block_on(export(printer, &config, path)),
            Direction::Import => runtime.block_on(import(printer, &config, path)),
        });
    match moved {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            printer.trouble(&format!("cannot {verb}: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn export(printer: &mut Printer, config: &Config, path: &Path) -> Result<(), Failure> {
    let store = match open_existing(config).await {
        Ok(store) => store,
        Err(failure) => return export_of_running(printer, config, path, failure).await,
    };
    let store: &dyn TransferStore = &*store;
    for moved in Box::pin(transfer::export(store, path)).await?.sections {
        printer.line(&format!("{} {}", moved.in_file, moved.section.name()));
    }
    Ok(())
}

/// Asks the server that holds the folder, when that is why the store could not be opened.
async fn export_of_running(
    printer: &mut Printer,
    config: &Config,
    path: &Path,
    failure: Failure,
) -> Result<(), Failure> {
    let held = matches!(failure.downcast_ref(), Some(OpenError::Locked { .. }));
    let (StoreLocation::Embedded(folder), true) = (&config.store, held) else {
        return Err(failure);
    };
    for line in running::ask(folder, Deed::Export, path).await?.ok_or(failure)? {
        printer.line(&line);
    }
    Ok(())
}

async fn import(printer: &mut Printer, config: &Config, path: &Path) -> Result<(), Failure> {
    // Before the store is opened, which makes it: a bad file leaves nothing behind.
    transfer::verify(path)?;
    let store = open(config).await?;
    let store: &dyn TransferStore = &*store;
    for moved in Box::pin(transfer::import(store, path)).await?.sections {
        let (count, name, new) = (moved.in_file, moved.section.name(), moved.new);
        printer.line(&format!("{count} {name}, {new} of them new"));
    }
    Ok(())
}
