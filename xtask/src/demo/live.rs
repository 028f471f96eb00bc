//! A viewer of the live socket: sees what a browser would see.

use std::{io::ErrorKind, net::TcpStream, time::Duration};

use anyhow::{Context, Result, bail};
use metric_flow_protocol::live::LiveMessage;
use tungstenite::{
    Error, Message, WebSocket,
    client::{IntoClientRequest as _, client},
    http::HeaderValue,
};

use super::api::Api;

/// The viewer side's subprotocol.
const SUBPROTOCOL: &str = "metric-flow.live.v1";
/// How long one look at the socket waits, so that a signal is noticed in time.
const READ_WAIT: Duration = Duration::from_millis(100);

/// An open live socket.
pub(super) struct Viewer {
    socket: WebSocket<TcpStream>,
}

impl Viewer {
    /// Opens the socket with a fresh ticket, as the dashboard does.
    pub(super) fn open(api: &Api) -> Result<Self> {
        let authority = api
            .origin()
            .strip_prefix("http://")
            .context("the server speaks no plain HTTP")?;
        let stream = TcpStream::connect(authority).context("the live socket cannot be reached")?;
        let mut request = format!("ws://{authority}/api/v1/live?ticket={}", api.ticket()?)
            .into_client_request()
            .context("the live socket's address is not valid")?;
        let headers = request.headers_mut();
        headers.insert(
            "origin",
            HeaderValue::from_str(api.origin()).context("the origin is not a header")?,
        );
        headers.insert("sec-websocket-protocol", HeaderValue::from_static(SUBPROTOCOL));
        // The handshake itself is done with a blocking stream.
        let (socket, _) = match client(request, stream) {
            Ok(opened) => opened,
            Err(error) => bail!("the live socket was refused: {error}"),
        };
        socket
            .get_ref()
            .set_read_timeout(Some(READ_WAIT))
            .context("the socket takes no time limit")?;
        Ok(Self { socket })
    }

    /// Whether the next message shows a host's readings.
    pub(super) fn saw_a_sample(&mut self) -> Result<bool> {
        match self.socket.read() {
            Ok(Message::Text(text)) => {
                let message: LiveMessage = serde_json::from_str(&text)
                    .with_context(|| format!("the live socket sent what is not of the protocol: {text}"))?;
                Ok(shows_a_sample(&message))
            }
            Ok(_) => Ok(false),
            Err(Error::Io(error)) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                Ok(false)
            }
            Err(error) => Err(error).context("the live socket broke off"),
        }
    }
}

fn shows_a_sample(message: &LiveMessage) -> bool {
    match message {
        LiveMessage::Welcome(welcome) => welcome.hosts.iter().any(|host| host.latest.is_some()),
        LiveMessage::Fleet(frame) => !frame.rows.is_empty(),
        _ => false,
    }
}
