//! From an address to an open WebSocket: TCP, TLS, the handshake with the key.

use std::{sync::Arc, time::Duration};

use http::{HeaderValue, header};
use metric_flow_protocol::{codec::FRAME_BYTES_MAX, version::NODE_SUBPROTOCOL};
use rustls_pki_types::ServerName;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsConnector, rustls::ClientConfig};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{client::IntoClientRequest as _, protocol::WebSocketConfig},
};

use super::{endpoint::Endpoint, trouble::Trouble};

/// Longest that each step of a connection may take: two lost packets of a slow line fit.
const STEP_DEADLINE: Duration = Duration::from_secs(10);

/// Bytes of the read buffer: what a server sends is small, and the client's memory is counted.
const READ_BUFFER_BYTES: usize = 4 * 1024;

/// Any byte stream to the server.
pub(super) trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

/// An open WebSocket to the server.
pub(super) type Socket = WebSocketStream<Box<dyn Wire>>;

/// Opens a connection; nothing has been said on it.
pub(super) async fn connect(
    endpoint: &Endpoint,
    tls: Option<&Arc<ClientConfig>>,
    api_key: &SecretString,
) -> Result<Socket, Trouble> {
    let unreachable = |reason: String| Trouble::Unreachable {
        address: format!("{}:{}", endpoint.host, endpoint.port),
        reason,
    };
    let late = || unreachable(format!("no answer in {} s", STEP_DEADLINE.as_secs()));
    let stream = timeout(
        STEP_DEADLINE,
        TcpStream::connect((endpoint.host.as_str(), endpoint.port)),
    )
    .await
    .map_err(|_| late())?
    .map_err(|error| unreachable(error.to_string()))?;
    // A sample is one small write: it must not wait for the next one.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!("TCP_NODELAY cannot be set: {error}");
    }
    let stream: Box<dyn Wire> = match tls {
        None => Box::new(stream),
        Some(tls) => {
            let name = ServerName::try_from(endpoint.host.clone())
                .map_err(|error| unreachable(error.to_string()))?;
            let connector = TlsConnector::from(Arc::clone(tls));
            let stream = timeout(STEP_DEADLINE, connector.connect(name, stream))
                .await
                .map_err(|_| late())?
                .map_err(|error| Trouble::from_tls(&error))?;
            Box::new(stream)
        }
    };
    let mut request = endpoint
        .websocket_url
        .as_str()
        .into_client_request()
        .map_err(|error| unreachable(error.to_string()))?;
    let mut bearer = HeaderValue::from_str(&format!("Bearer {}", api_key.expose_secret())).map_err(|_| {
        Trouble::KeyRefused {
            reason: "it has characters that no key has".to_owned(),
        }
    })?;
    bearer.set_sensitive(true);
    request.headers_mut().insert(header::AUTHORIZATION, bearer);
    request.headers_mut().insert(
        header::SEC_WEBSOCKET_PROTOCOL,
        HeaderValue::from_static(NODE_SUBPROTOCOL),
    );
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_write_buffer_size(2 * FRAME_BYTES_MAX)
        .max_message_size(Some(FRAME_BYTES_MAX))
        .max_frame_size(Some(FRAME_BYTES_MAX));
    let handshake = client_async_with_config(request, stream, Some(config));
    let (socket, _) = timeout(STEP_DEADLINE, Box::pin(handshake))
        .await
        .map_err(|_| late())?
        .map_err(|error| Trouble::from_handshake(error, &endpoint.websocket_url))?;
    Ok(socket)
}
