//! The server through its public doors: real sockets, a memory store, port 0.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]
#![expect(clippy::panic, reason = "a test fails by panicking")]

mod accounts;
mod deploy_events;
mod history_api;
mod http_api;
mod ingest;
mod limits;
mod live;
mod shutdown;
mod support;
mod tls;
mod websocket_rules;
