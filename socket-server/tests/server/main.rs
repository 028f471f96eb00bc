//! The server through its public doors: real sockets, a memory store, port 0.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]
#![expect(clippy::panic, reason = "a test fails by panicking")]

mod accounts;
mod asking;
mod deploy_events;
#[path = "../store_contract/door.rs"]
mod door;
mod expiry;
mod history_api;
mod http_api;
mod ingest;
mod limits;
mod live;
mod mongodb_away;
#[path = "../store_contract/mongodb_server.rs"]
#[expect(dead_code, reason = "the other tests of MongoDB need the rest")]
mod mongodb_server;
mod program;
mod proxies;
mod shutdown;
mod signals;
mod slow_viewers;
mod support;
mod tls;
mod unfit_samples;
mod websocket_rules;
