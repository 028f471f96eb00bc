//! Around warp's service: tells it who asks, and puts the headers on that every answer has.

use std::{convert::Infallible, future::Future, net::IpAddr, pin::Pin, sync::Arc};

use http::{HeaderMap, Request, Version};
use hyper::body::Incoming;
use tower_service::Service as TowerService;
use warp::{Reply as _, reply::Response};

use super::{ConnectionLimits, ConnectionPermit, TrustedProxies};
use crate::{
    http::{ApiError, security_headers},
    telemetry::Telemetry,
};

/// Who asks, as the routes see it.
#[derive(Debug, Clone)]
pub struct PeerInfo {
    /// The address at the other end, or the one that a trusted proxy there names.
    pub address: IpAddr,
    /// Whether TLS is used, here or as a trusted proxy says.
    pub secure: bool,
    /// Whether the request is HTTP/1.1: WebSocket needs it.
    pub is_http_11: bool,
    /// Keeps the connection, and whoever is behind a proxy, counted; also after an upgrade.
    pub permit: Arc<ConnectionPermit>,
}

/// What hyper calls for each request of one connection.
#[derive(Clone)]
pub(super) struct ConnectionService<S> {
    pub(super) routes: S,
    pub(super) peer: PeerInfo,
    /// How to know who asks, where the peer is a trusted proxy.
    pub(super) proxied: Option<Proxied>,
    pub(super) telemetry: Arc<Telemetry>,
}

/// What a trusted proxy's requests are looked at with.
#[derive(Clone)]
pub(super) struct Proxied {
    pub(super) proxies: Arc<TrustedProxies>,
    pub(super) limits: Arc<ConnectionLimits>,
}

impl Proxied {
    /// Who asks; nothing when that one has too much open.
    fn peer(&self, proxy: &PeerInfo, headers: &HeaderMap) -> Option<PeerInfo> {
        let origin = self.proxies.origin(proxy.address, headers);
        let permit = self.limits.admit_behind(&proxy.permit, origin.address)?;
        Some(PeerInfo {
            address: origin.address,
            secure: origin.secure.unwrap_or(proxy.secure),
            is_http_11: proxy.is_http_11,
            permit: Arc::new(permit),
        })
    }
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
        self.telemetry.requests.inc();
        let peer = match &self.proxied {
            None => Some(self.peer.clone()),
            Some(proxied) => proxied.peer(&self.peer, request.headers()),
        };
        let Some(mut peer) = peer else {
            self.telemetry.connections_refused.inc();
            let mut refusal = ApiError::too_many_connections().into_response();
            security_headers(refusal.headers_mut(), self.peer.secure);
            return Box::pin(std::future::ready(Ok(refusal)));
        };
        peer.is_http_11 = request.version() == Version::HTTP_11;
        let secure = peer.secure;
        request.extensions_mut().insert(peer);
        let answer = self.routes.clone().call(request);
        Box::pin(async move {
            let mut response = answer.await?;
            security_headers(response.headers_mut(), secure);
            Ok(response)
        })
    }
}
