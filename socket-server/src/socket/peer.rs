//! One WebSocket as both sessions use it: small buffers, bounded writes, an orderly close.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use metric_flow_protocol::codec::FRAME_BYTES_MAX;
use thiserror::Error;
use tokio::time::timeout;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        self, Bytes, Message, Utf8Bytes,
        protocol::{CloseFrame, Role, WebSocketConfig, frame::coding::CloseCode},
    },
};

/// Read buffer of each socket: every read zeroes the rest of it, even one that finds nothing, so a small one
/// saves memory and time (performance.md §1); larger frames grow it for themselves.
const READ_BUFFER_BYTES: usize = 512;
/// Bytes gathered before they go to the kernel: with 0 each message would be a write of its own.
const WRITE_BUFFER_BYTES: usize = 16 * 1024;
/// Longest time that one write may take before the peer counts as gone.
const WRITE_DEADLINE: Duration = Duration::from_secs(20);
/// Longest wait for the peer's half of a close.
const CLOSE_DEADLINE: Duration = Duration::from_secs(2);
/// Probes without an answer after which the peer is gone.
const SILENT_PROBES_MAX: u8 = 3;

/// Why a socket ended.
#[derive(Debug, Error)]
pub(super) enum SocketError {
    /// The upgrade did not come about.
    #[error("the upgrade failed: {0}")]
    Upgrade(#[from] hyper::Error),
    /// The connection broke, or the peer broke the rules of WebSocket.
    #[error(transparent)]
    WebSocket(#[from] Box<tungstenite::Error>),
    /// A frame or message is larger than the cap.
    #[error("a frame is larger than {FRAME_BYTES_MAX} bytes")]
    TooLarge,
    /// The peer did not take what it was sent.
    #[error("the peer did not read for {} seconds", WRITE_DEADLINE.as_secs())]
    WriteTimedOut,
}

impl From<tungstenite::Error> for SocketError {
    fn from(error: tungstenite::Error) -> Self {
        match error {
            tungstenite::Error::Capacity(_) => Self::TooLarge,
            other => Self::WebSocket(Box::new(other)),
        }
    }
}

/// RFC 6455 §7.4.1: a message is too big to be processed.
pub(super) const CLOSE_TOO_LARGE: u16 = 1009;

/// An open WebSocket.
pub(super) struct Peer {
    socket: WebSocketStream<TokioIo<Upgraded>>,
    heard: bool,
    silent_probes: u8,
}

/// A frame that matters to a session.
pub(super) enum Incoming {
    Text(Utf8Bytes),
    Binary(Bytes),
    /// A ping or pong: the peer lives, and says nothing else.
    Control,
    Closed,
}

impl Peer {
    /// Waits for the upgrade and takes the socket over.
    pub(super) async fn open(on_upgrade: OnUpgrade) -> Result<Self, SocketError> {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .write_buffer_size(WRITE_BUFFER_BYTES)
            .max_message_size(Some(FRAME_BYTES_MAX))
            .max_frame_size(Some(FRAME_BYTES_MAX));
        let upgraded = TokioIo::new(on_upgrade.await?);
        let socket = WebSocketStream::from_raw_socket(upgraded, Role::Server, Some(config)).await;
        Ok(Self {
            socket,
            heard: true,
            silent_probes: 0,
        })
    }

    /// The next frame. tungstenite answers pings and checks frames by itself. Losing the future loses no frame.
    pub(super) async fn next(&mut self) -> Result<Incoming, SocketError> {
        let message = self.socket.next().await.transpose()?;
        self.heard = true;
        Ok(match message {
            Some(Message::Text(text)) => Incoming::Text(text),
            Some(Message::Binary(bytes)) => Incoming::Binary(bytes),
            Some(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => Incoming::Control,
            Some(Message::Close(_)) | None => Incoming::Closed,
        })
    }

    /// Puts a message into the write buffer, which goes to the kernel when it is full or at the next flush.
    pub(super) async fn feed(&mut self, message: Message) -> Result<(), SocketError> {
        in_time(self.socket.feed(message)).await
    }

    /// Sends all that waits.
    pub(super) async fn flush(&mut self) -> Result<(), SocketError> {
        in_time(self.socket.flush()).await
    }

    /// Sends one message now.
    pub(super) async fn send(&mut self, message: Message) -> Result<(), SocketError> {
        in_time(self.socket.send(message)).await
    }

    /// Asks the peer whether it lives, if it was silent since the last time; false when it was silent too often.
    pub(super) async fn probe(&mut self) -> Result<bool, SocketError> {
        if std::mem::take(&mut self.heard) {
            self.silent_probes = 0;
            return Ok(true);
        }
        self.silent_probes += 1;
        if self.silent_probes >= SILENT_PROBES_MAX {
            return Ok(false);
        }
        self.ping().await?;
        Ok(true)
    }

    /// Sends a ping.
    pub(super) async fn ping(&mut self) -> Result<(), SocketError> {
        self.send(Message::Ping(Bytes::new())).await
    }

    /// Says why the connection ends, and waits a moment for the peer's half.
    pub(super) async fn close(mut self, code: u16, reason: &str) {
        // A control frame holds 125 bytes, two of them the code.
        let reason = &reason[..reason.floor_char_boundary(123)];
        let frame = CloseFrame {
            code: CloseCode::from(code),
            reason: Utf8Bytes::from(reason),
        };
        let goodbye = async {
            self.socket.close(Some(frame)).await?;
            while self.socket.next().await.transpose()?.is_some() {}
            Ok::<(), tungstenite::Error>(())
        };
        // A peer that is gone cannot say goodbye: nothing is left to do then.
        let _ = timeout(CLOSE_DEADLINE, goodbye).await;
    }
}

async fn in_time(write: impl Future<Output = Result<(), tungstenite::Error>>) -> Result<(), SocketError> {
    Ok(timeout(WRITE_DEADLINE, write)
        .await
        .map_err(|_| SocketError::WriteTimedOut)??)
}
