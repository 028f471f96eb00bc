//! Opens the sockets of a simulated host and of a viewer.

use std::{net::SocketAddr, time::Duration};

use futures_util::StreamExt;
use http::header;
use metric_flow_protocol::{
    codec,
    node::{Hello, HelloAck, HostFacts, Label, NodeBody, NodeMessage, ServerBody, ServerMessage},
    version::{LIVE_SUBPROTOCOL, NODE_SUBPROTOCOL, NodeEncoding, PROTOCOL_MAJOR, PROTOCOL_MINOR},
};
use thiserror::Error;
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, client::IntoClientRequest, protocol::WebSocketConfig},
};

use super::{Dialect, FleetPlan, dialect::Event, source_address};
use crate::api::{ApiClient, ApiError};

/// How long one connection may take: a server that restarts with 9,000 hosts at its door answers late.
const CONNECT_DEADLINE: Duration = Duration::from_secs(60);

/// Why a simulated peer failed.
#[derive(Debug, Error)]
pub enum LoadError {
    /// The socket could not be opened.
    #[error("cannot connect: {0}")]
    Connect(#[from] std::io::Error),
    /// The WebSocket failed.
    #[error("the WebSocket failed: {0}")]
    Socket(#[from] Box<tokio_tungstenite::tungstenite::Error>),
    /// A frame could not be read.
    #[error(transparent)]
    Codec(#[from] codec::CodecError),
    /// The API refused.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// Nothing came in time.
    #[error("the server did not answer within {} s", CONNECT_DEADLINE.as_secs())]
    Deadline,
    /// The server closed instead of answering.
    #[error("the server closed the socket: {0}")]
    Closed(String),
}

impl From<tokio_tungstenite::tungstenite::Error> for LoadError {
    fn from(error: tokio_tungstenite::tungstenite::Error) -> Self {
        Self::Socket(Box::new(error))
    }
}

/// Opens a host's socket, says hello and waits for its answer.
///
/// # Errors
/// When the server cannot be reached, refuses, or takes too long.
pub async fn connect_node(
    plan: &FleetPlan,
    index: usize,
) -> Result<(WebSocketStream<TcpStream>, HelloAck), LoadError> {
    let FleetPlan {
        server,
        api_key,
        epoch,
        dialect,
        ..
    } = plan;
    let attempt = async {
        let uri = format!("ws://{server}{}", dialect.host_path());
        let mut request = uri.into_client_request()?;
        let headers = request.headers_mut();
        headers.insert(
            header::SEC_WEBSOCKET_PROTOCOL,
            header::HeaderValue::from_static(NODE_SUBPROTOCOL),
        );
        if let Ok(value) = header::HeaderValue::from_str(&format!("Bearer {api_key}")) {
            headers.insert(header::AUTHORIZATION, value);
        }
        let mut socket = open(*server, index, request).await?;
        dialect.enter(&mut socket).await?;
        let hello = NodeMessage {
            body: Some(NodeBody::Hello(hello(index, epoch))),
        };
        let frame = codec::encode(NodeEncoding::Protobuf, &hello)?;
        dialect.send(&mut socket, Event::Hello, frame).await?;
        while let Some(frame) = socket.next().await {
            match frame? {
                Message::Binary(payload) => {
                    let answer: ServerMessage = codec::decode(NodeEncoding::Protobuf, &payload)?;
                    if let Some(ServerBody::HelloAck(ack)) = answer.body {
                        return Ok((socket, ack));
                    }
                }
                Message::Close(reason) => return Err(LoadError::Closed(format!("{reason:?}"))),
                _ => {}
            }
        }
        Err(LoadError::Closed("without a word".to_owned()))
    };
    tokio::time::timeout(CONNECT_DEADLINE, attempt)
        .await
        .map_err(|_elapsed| LoadError::Deadline)?
}

/// Opens a viewer's socket with a ticket of its own.
///
/// # Errors
/// When the server cannot be reached, refuses, or takes too long.
pub async fn connect_viewer(
    server: SocketAddr,
    api: &ApiClient,
    index: usize,
) -> Result<WebSocketStream<TcpStream>, LoadError> {
    let attempt = async {
        let ticket = api.live_ticket().await?;
        open_viewer(server, &format!("/api/v1/live?ticket={ticket}"), index).await
    };
    tokio::time::timeout(CONNECT_DEADLINE, attempt)
        .await
        .map_err(|_elapsed| LoadError::Deadline)?
}

/// Opens a viewer's socket at the peer, which asks for no ticket.
///
/// # Errors
/// When the peer cannot be reached, or takes too long.
pub async fn connect_peer_viewer(
    peer: SocketAddr,
    dialect: Dialect,
    index: usize,
) -> Result<WebSocketStream<TcpStream>, LoadError> {
    let attempt = async {
        let mut socket = open_viewer(peer, dialect.viewer_path(), index).await?;
        dialect.enter(&mut socket).await?;
        Ok(socket)
    };
    tokio::time::timeout(CONNECT_DEADLINE, attempt)
        .await
        .map_err(|_elapsed| LoadError::Deadline)?
}

async fn open_viewer(
    server: SocketAddr,
    path: &str,
    index: usize,
) -> Result<WebSocketStream<TcpStream>, LoadError> {
    let mut request = format!("ws://{server}{path}").into_client_request()?;
    let headers = request.headers_mut();
    headers.insert(
        header::SEC_WEBSOCKET_PROTOCOL,
        header::HeaderValue::from_static(LIVE_SUBPROTOCOL),
    );
    if let Ok(origin) = header::HeaderValue::from_str(&format!("http://{server}")) {
        headers.insert(header::ORIGIN, origin);
    }
    open(server, index, request).await
}

async fn open(
    server: SocketAddr,
    index: usize,
    request: http::Request<()>,
) -> Result<WebSocketStream<TcpStream>, LoadError> {
    let socket = TcpSocket::new_v4()?;
    if server.ip().is_loopback() {
        socket.bind(source_address(index))?;
    }
    let stream = socket.connect(server).await?;
    stream.set_nodelay(true)?;
    let config = WebSocketConfig::default()
        .read_buffer_size(2 * 1024)
        .write_buffer_size(0);
    let (socket, _response) =
        tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await?;
    Ok(socket)
}

fn hello(index: usize, epoch: &str) -> Hello {
    Hello {
        protocol_major: PROTOCOL_MAJOR,
        protocol_minor: PROTOCOL_MINOR,
        machine_identity: format!("{index:064x}"),
        epoch: epoch.to_owned(),
        acknowledged_seq: 0,
        facts: Some(HostFacts {
            host_name: format!("sim-{index:05}"),
            os: "Simulated Linux 9".to_owned(),
            kernel: "6.1.0".to_owned(),
            architecture: "x86_64".to_owned(),
            cpu_model: "Simulated Processor".to_owned(),
            cpu_cores: 8,
            memory_total_bytes: 16 << 30,
            boot_unix_ms: super::sample::now_unix_ms() - (index as i64 % 40 + 1) * 93_600_000,
            client_version: env!("CARGO_PKG_VERSION").to_owned(),
            ..HostFacts::default()
        }),
        labels: vec![Label {
            name: "rack".to_owned(),
            value: format!("r{}", index / 20),
        }],
        sent_unix_ms: super::sample::now_unix_ms(),
    }
}
