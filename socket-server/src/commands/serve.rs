//! `socket-server serve`, in five beats: parse, build, spawn, wait, drain.

use std::process::ExitCode;

use clap::ArgMatches;
use metric_flow_lifecycle::{Drained, Shutdown, init_logging};
use socket_server::{Server, config::Config};
use tokio::net::{TcpListener, TcpSocket};

use super::{
    Printer, cli,
    open_store::{self, Failure},
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
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
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
    let store = open_store::open_patiently(&config, shutdown.token()).await?;
    let origin = config.public_origins.first().cloned();
    let listener = bind(&config)?;
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
    Ok(server.serve(listener).await?)
}

fn bind(config: &Config) -> Result<TcpListener, Failure> {
    let socket = if config.listen.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    socket.set_reuseaddr(true)?;
    socket
        .bind(config.listen)
        .map_err(|error| format!("cannot listen on {}: {error}", config.listen))?;
    Ok(socket.listen(BACKLOG)?)
}
