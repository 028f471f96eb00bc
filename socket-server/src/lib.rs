//! The socket server: accounts, sockets, fleet, store, history, HTTP API and the dashboard's files.
//!
//! [`Server::build`] takes a checked configuration, a store and the program's shutdown; [`Server::serve`] takes a
//! bound listener. Neither binds anything itself.

pub mod accounts;
mod clock;
pub mod config;
pub mod fleet;
pub mod history;
pub mod http;
pub mod listen;
mod server;
pub mod socket;
pub mod store;
pub mod telemetry;
pub mod transfer;
mod urgency;

pub use config::configuration_reference;
pub use listen::TlsError;
pub use server::{Server, ServerError};
pub use urgency::is_anyone_waiting;
