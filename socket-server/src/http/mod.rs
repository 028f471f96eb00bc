//! The HTTP API, the dashboard's files, and the way to the sockets.
//!
//! Invariants: every route that touches an account's data begins with that account's access token; errors take
//! their form in `error.rs` and nowhere else.

mod account_routes;
mod call;
mod cookie;
mod dashboard;
mod deploy_routes;
mod error;
mod headers;
mod health;
mod history_routes;
mod host_routes;
mod key_routes;
mod origin;
mod routes;
mod socket_routes;

pub use error::ApiError;
pub use headers::security_headers;
pub use routes::{Api, routes};
