//! `socket-server serve`, in five beats: parse, build, spawn, wait, drain.

use std::{io, net::SocketAddr, path::Path, process::ExitCode, sync::Arc};

use clap::ArgMatches;
use metric_flow_lifecycle::{Drained, Shutdown, init_logging};
use socket_server::{
    Server,
    config::{Config, StoreLocation},
    store::TransferStore,
};
use tokio::{net::TcpSocket, task::JoinHandle};

use super::{
    Printer, cli,
    open_store::{self, Failure},
    running::{self, Held},
    runtime,
};

/// Connections that the kernel keeps while the server is busy: a whole fleet may come back at once.
const BACKLOG: u32 = 4_096;

/// Serves until it is told to end.
pub(super) fn serve(printer: &mut Printer, given: &ArgMatches) -> ExitCode {
    let config = match cli::configuration(given) {
        Ok(config) => config,
        Err(problems) => return cli::report(printer, &problems),
    };
    init_logging(config.log_filter.as_deref(), config.log_format);
    let runtime = match runtime::build() {
        Ok(runtime) => runtime,
        Err(error) => {
            printer.trouble(&format!("cannot start: {error}"));
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(printer, config)) {
        Ok(Drained::Complete) => ExitCode::SUCCESS,
        Ok(Drained::DeadlinePassed { .. }) => ExitCode::FAILURE,
        Err(error) => {
            printer.trouble(&format!("cannot serve: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(printer: &mut Printer, config: Config) -> Result<Drained, Failure> {
    let shutdown = Shutdown::new();
    shutdown.begin_on_signals()?;
    // Before the store is opened: a port that is taken leaves no folder behind.
    let socket = bind(&config)?;
    let store = open_store::open_patiently(&config, shutdown.token()).await?;
    let commands = match &config.store {
        StoreLocation::Embedded(folder) => answer_commands(folder, &store, &shutdown),
        _ => None,
    };
    let (origin, address) = (config.public_origins.first().cloned(), config.listen);
    let listener = socket
        .listen(BACKLOG)
        .map_err(|error| cannot_listen(address, &error))?;
    let server = Server::build(config, store, shutdown).await?;
    let scheme = if server.is_secure() { "https" } else { "http" };
    let address = format!("{scheme}://{}", listener.local_addr()?);
    printer.line(&format!("listening on {address}"));
    if let Some(token) = server.open_setup().await? {
        printer.line(&format!(
            "set up the first account at {}/setup#{token}",
            origin.unwrap_or(address)
        ));
    }
    let drained = server.serve(listener).await?;
    if let Some(commands) = commands {
        commands.await?;
    }
    Ok(drained)
}

/// A server that cannot offer exports and backups still serves.
fn answer_commands(
    folder: &Path,
    store: &Arc<dyn TransferStore>,
    shutdown: &Shutdown,
) -> Option<JoinHandle<()>> {
    match running::listen(folder) {
        Ok(listener) => {
            let held = Held {
                store: Arc::clone(store),
                folder: folder.to_owned(),
            };
            Some(tokio::spawn(running::answer(
                listener,
                held,
                shutdown.token().clone(),
            )))
        }
        Err(error) => {
            tracing::warn!(%error, "a running server cannot be exported or backed up: its socket cannot be made");
            None
        }
    }
}

fn bind(config: &Config) -> Result<TcpSocket, Failure> {
    let socket = if config.listen.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    socket.set_reuseaddr(true)?;
    socket
        .bind(config.listen)
        .map_err(|error| cannot_listen(config.listen, &error))?;
    Ok(socket)
}

fn cannot_listen(address: SocketAddr, error: &io::Error) -> String {
    let hint = match error.kind() {
        io::ErrorKind::AddrInUse => {
            "; another program has that port: end it, or give another one with --listen (port 0 takes a free one)"
        }
        io::ErrorKind::AddrNotAvailable => {
            "; give an address of this machine with --listen, or 0.0.0.0 for all of them"
        }
        io::ErrorKind::PermissionDenied => "; ports below 1024 are for root: give another one with --listen",
        _ => "",
    };
    format!("cannot listen on {address}: {error}{hint}")
}
