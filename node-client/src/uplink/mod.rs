//! The connection to the server.
//!
//! `session` speaks the protocol over one connection; `connect` makes one, `link` keeps making them. What to send
//! next (`outgoing`), how fast (`pace`), when to try again (`backoff`) and what a failure means (`trouble`) are
//! decisions without IO.

mod backoff;
mod connect;
mod endpoint;
mod link;
mod outgoing;
mod pace;
mod session;
mod tls;
mod trouble;

pub use backoff::Backoff;
pub use endpoint::{Endpoint, NODE_PATH};
pub use link::{Link, Shared, Uplink};
pub use outgoing::Outgoing;
pub use pace::Pace;
pub use tls::{TlsError, client_tls};
pub use trouble::{Retry, Trouble};
