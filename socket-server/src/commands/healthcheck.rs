//! `socket-server healthcheck`: for container engines, which have no other way to ask.

use std::{
    io::{Read as _, Write as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    process::ExitCode,
    time::Duration,
};

use clap::ArgMatches;

use super::{Printer, cli};

/// A server that takes longer is not healthy.
const DEADLINE: Duration = Duration::from_secs(3);

/// Asks the server of this configuration whether it lives.
pub(super) fn healthcheck(printer: &mut Printer, given: &ArgMatches) -> ExitCode {
    let config = match cli::configuration(given) {
        Ok(config) => config,
        Err(problems) => return cli::report(printer, &problems),
    };
    match ask(loopback(config.listen), config.tls.is_some()) {
        Ok(()) => {
            printer.line("healthy");
            ExitCode::SUCCESS
        }
        Err(error) => {
            printer.trouble(&format!("not healthy: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Where a server that listens on every address is reached from its own machine.
fn loopback(listen: SocketAddr) -> SocketAddr {
    let address = match listen.ip() {
        IpAddr::V4(address) if address.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(address) if address.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        address => address,
    };
    SocketAddr::new(address, listen.port())
}

fn ask(address: SocketAddr, secure: bool) -> Result<(), Box<dyn std::error::Error>> {
    let mut stream = TcpStream::connect_timeout(&address, DEADLINE)?;
    stream.set_read_timeout(Some(DEADLINE))?;
    stream.set_write_timeout(Some(DEADLINE))?;
    if secure {
        // The certificate names the public address, not this one: that the port answers is all that can be asked.
        return Ok(());
    }
    write!(
        stream,
        "GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.take(4_096).read_to_string(&mut answer)?;
    let status = answer.lines().next().unwrap_or("no answer");
    if status.split(' ').nth(1) == Some("200") {
        Ok(())
    } else {
        Err(status.to_owned().into())
    }
}
