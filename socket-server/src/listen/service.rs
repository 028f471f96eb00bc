//! Around warp's service: tells it who asks, and puts the headers on that every answer has.

use std::{convert::Infallible, future::Future, net::SocketAddr, pin::Pin, sync::Arc};

use http::{Request, Version};
use hyper::body::Incoming;
use tower_service::Service as TowerService;
use warp::reply::Response;

use super::ConnectionPermit;
use crate::{http::security_headers, telemetry::Telemetry};

/// Who asks, as the routes see it.
#[derive(Debug, Clone)]
pub struct PeerInfo {
    /// The address at the other end.
    pub address: SocketAddr,
    /// Whether the connection is TLS.
    pub secure: bool,
    /// Whether the request is HTTP/1.1: WebSocket needs it.
    pub is_http_11: bool,
    /// Keeps the connection counted, also after an upgrade.
    pub permit: Arc<ConnectionPermit>,
}

/// What hyper calls for each request of one connection.
#[derive(Clone)]
pub(super) struct ConnectionService<S> {
    pub(super) routes: S,
    pub(super) peer: PeerInfo,
    pub(super) telemetry: Arc<Telemetry>,
}

impl<S> hyper::service::Service<Request<Incoming>> for ConnectionService<S>
where
    S: TowerService<Request<Incoming>, Response = Response, Error = Infallible> + Clone,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        let mut peer = self.peer.clone();
        peer.is_http_11 = request.version() == Version::HTTP_11;
        let secure = peer.secure;
        request.extensions_mut().insert(peer);
        self.telemetry.requests.inc();
        let answer = self.routes.clone().call(request);
        Box::pin(async move {
            let mut response = answer.await?;
            security_headers(response.headers_mut(), secure);
            Ok(response)
        })
    }
}
