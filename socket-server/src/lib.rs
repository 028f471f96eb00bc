//! The socket server: accounts, sockets, fleet, store, history, HTTP API and the dashboard's files.
//!
//! `run` takes a checked configuration, a bound listener, a store and a shutdown token; it binds nothing itself.

pub mod store;
