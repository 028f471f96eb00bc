//! From a bound listener to HTTP requests: limits, TLS, one task for each connection, an orderly end.

mod accept;
mod limits;
mod proxies;
mod service;
mod tls;

pub use accept::serve_connections;
pub use limits::{ConnectionLimits, ConnectionPermit};
pub use proxies::TrustedProxies;
pub use service::PeerInfo;
pub use tls::{Tls, TlsError};
