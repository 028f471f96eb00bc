//! How hosts and viewers speak to a server: in plain WebSocket messages, or in events of socket.io.

use futures_util::{SinkExt, StreamExt};
use metric_flow_protocol::codec::Frame;
use tokio::net::TcpStream;
use tokio_tungstenite::{WebSocketStream, tungstenite::Message};

use super::LoadError;

/// Engine.IO's heartbeat and the answer to it.
const PING: &str = "2";
const PONG: &str = "3";
/// Asks socket.io for its default namespace; events come after the answer, which begins the same.
const CONNECT: &str = "40";

/// How hosts and viewers speak to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// A frame is a message, as our server has it.
    Plain,
    /// A frame is the attachment of an event (protocol 5, over Engine.IO 4).
    SocketIo,
}

/// An event that a host sends.
#[derive(Debug, Clone, Copy)]
pub(super) enum Event {
    Hello,
    Batch,
}

impl Dialect {
    /// Where hosts connect.
    pub(super) fn host_path(self) -> &'static str {
        match self {
            Self::Plain => "/api/v1/node",
            Self::SocketIo => "/socket.io/?EIO=4&transport=websocket&role=host",
        }
    }

    /// Where viewers connect that need no ticket.
    pub(super) fn viewer_path(self) -> &'static str {
        match self {
            Self::Plain => "/api/v1/live",
            Self::SocketIo => "/socket.io/?EIO=4&transport=websocket&role=viewer",
        }
    }

    /// What comes before the first event.
    pub(super) async fn enter(self, socket: &mut WebSocketStream<TcpStream>) -> Result<(), LoadError> {
        if self == Self::Plain {
            return Ok(());
        }
        socket.send(Message::Text(CONNECT.into())).await?;
        while let Some(frame) = socket.next().await {
            if matches!(frame?, Message::Text(text) if text.starts_with(CONNECT)) {
                return Ok(());
            }
        }
        Err(LoadError::Closed("before it was entered".to_owned()))
    }

    /// Sends a frame.
    pub(super) async fn send(
        self,
        socket: &mut WebSocketStream<TcpStream>,
        event: Event,
        frame: Frame,
    ) -> Result<(), LoadError> {
        if self == Self::SocketIo {
            socket.feed(Message::Text(event.announcement().into())).await?;
        }
        Ok(socket.send(message(frame)).await?)
    }
}

impl Event {
    /// The text message that tells of the binary one behind it.
    fn announcement(self) -> &'static str {
        match self {
            Self::Hello => r#"451-["hello",{"_placeholder":true,"num":0}]"#,
            Self::Batch => r#"451-["batch",{"_placeholder":true,"num":0}]"#,
        }
    }
}

/// Answers a heartbeat: who does not is closed.
pub(super) async fn keep_alive(
    socket: &mut WebSocketStream<TcpStream>,
    received: &Message,
) -> Result<(), LoadError> {
    if matches!(received, Message::Text(text) if text.as_str() == PING) {
        socket.send(Message::Text(PONG.into())).await?;
    }
    Ok(())
}

/// Wraps an encoded frame for the socket.
pub(super) fn message(frame: Frame) -> Message {
    match frame {
        Frame::Binary(bytes) => Message::Binary(bytes.into()),
        Frame::Text(text) => Message::Text(text.into()),
    }
}
