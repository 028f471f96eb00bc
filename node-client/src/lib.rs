//! The program on a host that reads its metrics and sends them.
//!
//! `agent` owns the clock and joins the parts; `collect` reads counters and knows no network; `spool` keeps samples
//! until the server has them; `uplink` is the connection. Everything that names a host's files goes through
//! [`host_root::HostRoot`], so that the client works on a mounted host from inside a container.

pub mod agent;
pub mod answer;
pub mod cli;
pub mod collect;
pub mod config;
pub mod facts;
pub mod health;
pub mod host_root;
pub mod identity;
pub mod print;
pub mod run;
pub mod spool;
pub mod uplink;
