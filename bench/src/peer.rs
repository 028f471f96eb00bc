//! The peers that scenarios run beside our server: a lean relay on Node, with two libraries, in `bench/peers/`.

use std::{net::SocketAddr, path::Path, process::Stdio, time::Duration};

use metric_flow_protocol::{
    codec::{self, Frame},
    node::{HelloAck, ServerBody, ServerMessage},
    version::{NodeEncoding, PROTOCOL_MAJOR, PROTOCOL_MINOR},
};
use serde::{Deserialize, de::DeserializeOwned};
use thiserror::Error;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

use crate::{
    load::Dialect,
    process::{Cost, ProcessError, cost_of},
};

/// How long it may take to start, or to do what it is told.
const DEADLINE: Duration = Duration::from_secs(60);

/// The relay, by the library that it is written with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// `ws`.
    Ws,
    /// `socket.io`.
    SocketIo,
}

impl Peer {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Ws, Self::SocketIo];

    /// Its folder in the project, with a package.json of its own.
    pub const fn folder(self) -> &'static str {
        match self {
            Self::Ws => "bench/peers/ws-server",
            Self::SocketIo => "bench/peers/socket-io-server",
        }
    }

    /// How hosts and viewers speak to it.
    pub fn dialect(self) -> Dialect {
        match self {
            Self::Ws => Dialect::Plain,
            Self::SocketIo => Dialect::SocketIo,
        }
    }
}

/// Why a peer could not be used.
#[derive(Debug, Error)]
pub enum PeerError {
    /// It cannot be started, or its cost cannot be read.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// What hosts are to be greeted with cannot be encoded.
    #[error(transparent)]
    Greeting(#[from] codec::CodecError),
    /// It ended, or did not say what it should; what it wrote is on standard error.
    #[error("the peer did not say that it {0}")]
    Silent(&'static str),
}

/// A running peer; it ends with this value.
pub struct PeerProcess {
    child: Child,
    orders: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    /// Its library.
    pub peer: Peer,
    /// Where it listens.
    pub address: SocketAddr,
    /// What it is, with versions.
    pub name: String,
}

/// Its first line.
#[derive(Debug, Deserialize)]
struct Listening {
    address: SocketAddr,
    name: String,
}

/// Its answer to an order.
#[derive(Debug, Deserialize)]
struct Collected {
    collected: bool,
}

impl PeerProcess {
    /// Starts it and waits until it listens.
    ///
    /// # Errors
    /// When it cannot be started, or does not listen in time.
    pub async fn start(project: &Path, peer: Peer) -> Result<Self, PeerError> {
        let mut child = Command::new("node")
            .arg("--expose-gc")
            .arg(project.join(peer.folder()).join("server.js"))
            .env("GREETING", hexadecimal(&greeting()?))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|source| ProcessError::Start {
                program: "node".into(),
                source,
            })?;
        const LISTENS: PeerError = PeerError::Silent("listens");
        let orders = child.stdin.take().ok_or(LISTENS)?;
        let mut lines = BufReader::new(child.stdout.take().ok_or(LISTENS)?).lines();
        let Listening { address, name } = answer(&mut lines).await.ok_or(LISTENS)?;
        Ok(Self {
            child,
            orders,
            lines,
            peer,
            address,
            name,
        })
    }

    /// Its cost so far.
    ///
    /// # Errors
    /// When it has ended.
    pub fn cost(&self) -> Result<Cost, ProcessError> {
        cost_of(self.child.id().unwrap_or(0))
    }

    /// Memory that it holds after a garbage collection: what connections cost it, without what opening them left.
    ///
    /// # Errors
    /// When it has ended.
    pub async fn collected_bytes(&mut self) -> Result<u64, PeerError> {
        const COLLECTED: PeerError = PeerError::Silent("collected its garbage");
        self.orders
            .write_all(b"collect\n")
            .await
            .map_err(|_gone| COLLECTED)?;
        match answer(&mut self.lines).await {
            Some(Collected { collected: true }) => Ok(self.cost()?.resident_bytes),
            _ => Err(COLLECTED),
        }
    }

    /// Ends it and waits until it is gone.
    pub async fn kill(mut self) {
        // An error means that it is gone already.
        let _ = self.child.kill().await;
    }
}

/// The next line, where it comes in time and is what was expected.
async fn answer<T: DeserializeOwned>(lines: &mut Lines<BufReader<ChildStdout>>) -> Option<T> {
    let line = tokio::time::timeout(DEADLINE, lines.next_line())
        .await
        .ok()?
        .ok()??;
    serde_json::from_str(&line).ok()
}

/// What hosts wait for after their hello. The peer stores nothing, so nothing is durable.
fn greeting() -> Result<Vec<u8>, codec::CodecError> {
    let ack = HelloAck {
        protocol_major: PROTOCOL_MAJOR,
        protocol_minor: PROTOCOL_MINOR,
        host_id: "peer".to_owned(),
        ..HelloAck::default()
    };
    let message = ServerMessage {
        body: Some(ServerBody::HelloAck(ack)),
    };
    Ok(match codec::encode(NodeEncoding::Protobuf, &message)? {
        Frame::Binary(bytes) => bytes,
        Frame::Text(text) => text.into_bytes(),
    })
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_greeting_is_an_answer_to_a_hello() {
        let bytes = greeting().expect("encoded");
        let message: ServerMessage = codec::decode(NodeEncoding::Protobuf, &bytes).expect("decoded");
        assert!(matches!(message.body, Some(ServerBody::HelloAck(ack)) if ack.durable_seq == 0));
    }

    #[test]
    fn bytes_are_written_as_node_reads_them() {
        assert_eq!(hexadecimal(&[0, 10, 255]), "000aff");
    }
}
