//! WebSockets: the upgrade, a session for each host and each viewer, and their limits.
//!
//! Invariant: every session runs on the server's own task tracker, so the end of the server waits for it.

mod node_session;
mod peer;
mod rate;
mod upgrade;
mod viewer_session;

pub use node_session::run_node_session;
pub use upgrade::{UpgradeError, accept_upgrade};
pub use viewer_session::run_viewer_session;
