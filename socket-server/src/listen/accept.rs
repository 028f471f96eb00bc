//! The accept loop: it never waits for a peer, and every connection is a task that the end of the server waits for.

use std::{convert::Infallible, io, net::SocketAddr, sync::Arc, time::Duration};

use http::Request;
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::rt::{TokioIo, TokioTimer};
use metric_flow_lifecycle::Shutdown;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tower_service::Service as TowerService;
use warp::reply::Response;

use super::{
    ConnectionLimits, PeerInfo, Tls, TrustedProxies,
    service::{ConnectionService, Proxied},
};
use crate::telemetry::Telemetry;

/// A request's head, or the next one on a kept connection, must come within this time: slow ones hold a place.
const HEADER_DEADLINE: Duration = Duration::from_secs(15);
/// A TLS handshake must be done within this time.
const TLS_DEADLINE: Duration = Duration::from_secs(10);
/// Buffer of a connection for heads and answers: the least that hyper takes. Sockets leave it behind.
const HTTP_BUFFER_BYTES: usize = 16 * 1024;
/// Pause after the system refused a connection, which it does while descriptors are short.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves every connection of a listener until the end begins. Connections belong to `connections`.
pub async fn serve_connections<S>(
    listener: TcpListener,
    routes: S,
    tls: Option<Arc<Tls>>,
    limits: Arc<ConnectionLimits>,
    proxies: Arc<TrustedProxies>,
    telemetry: Arc<Telemetry>,
    connections: Shutdown,
) where
    S: TowerService<Request<Incoming>, Response = Response, Error = Infallible>
        + Clone
        + Send
        + Sync
        + 'static,
    S::Future: Send + 'static,
{
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = connections.begun() => return,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let is_proxy = proxies.trust(address.ip());
        let permit = if is_proxy {
            limits.admit_proxy()
        } else {
            limits.admit(address.ip())
        };
        let Some(permit) = permit else {
            telemetry.connections_refused.inc();
            tracing::debug!(%address, "a connection was refused: too many are open");
            continue;
        };
        telemetry.connections_accepted.inc();
        let peer = PeerInfo {
            address: address.ip(),
            secure: tls.is_some(),
            is_http_11: true,
            permit: Arc::new(permit),
        };
        let service = ConnectionService {
            routes: routes.clone(),
            peer,
            proxied: is_proxy.then(|| Proxied {
                proxies: Arc::clone(&proxies),
                limits: Arc::clone(&limits),
            }),
            telemetry: Arc::clone(&telemetry),
        };
        connections.spawn(serve(stream, address, tls.clone(), service, connections.clone()));
    }
}

async fn serve<S>(
    stream: TcpStream,
    address: SocketAddr,
    tls: Option<Arc<Tls>>,
    service: ConnectionService<S>,
    connections: Shutdown,
) where
    S: TowerService<Request<Incoming>, Response = Response, Error = Infallible>
        + Clone
        + Send
        + Sync
        + 'static,
    S::Future: Send + 'static,
{
    // Frames are small and written whole: waiting for more to fill a packet only delays them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%address, %error, "TCP_NODELAY could not be set");
    }
    let served = match tls {
        None => serve_http(stream, service, &connections).await,
        Some(tls) => match timeout(TLS_DEADLINE, tls.acceptor().accept(stream)).await {
            Ok(Ok(stream)) => serve_http(stream, service, &connections).await,
            Ok(Err(error)) => Err(error.into()),
            Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
        },
    };
    if let Err(error) = served {
        tracing::debug!(%address, %error, "a connection ended");
    }
}

async fn serve_http<S>(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    service: ConnectionService<S>,
    connections: &Shutdown,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>>
where
    S: TowerService<Request<Incoming>, Response = Response, Error = Infallible>
        + Clone
        + Send
        + Sync
        + 'static,
    S::Future: Send + 'static,
{
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_DEADLINE)
        .max_buf_size(HTTP_BUFFER_BYTES)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = Box::pin(connection);
    tokio::select! {
        served = connection.as_mut() => return Ok(served?),
        () = connections.begun() => connection.as_mut().graceful_shutdown(),
    }
    Ok(connection.await?)
}
