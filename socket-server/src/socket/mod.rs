//! WebSockets: the upgrade, a session for each host and each viewer, and their limits.
//!
//! Invariant: every session runs on the server's own task tracker, so the end of the server waits for it.

mod node_session;
mod peer;
mod rate;
mod upgrade;
mod viewer_session;

pub use node_session::{NodeStart, run_node_session};
pub use upgrade::{UpgradeError, accept_upgrade};
pub use viewer_session::run_viewer_session;

#[cfg(test)]
mod tests {
    use super::*;

    /// A session's future is most of what the server itself keeps for an idle socket; the rest is tungstenite's
    /// read buffer of 1 KiB and the host's record.
    const IDLE_NODE_BYTES_MAX: usize = 1_280;
    const IDLE_VIEWER_BYTES_MAX: usize = 2_304;

    fn size_of_node<A, F>(_: impl FnOnce(A) -> F) -> usize {
        size_of::<F>()
    }

    fn size_of_viewer<A, B, C, D, E, F>(_: impl FnOnce(A, B, C, D, E) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn an_idle_socket_is_small() {
        let (node, viewer) = (size_of_node(run_node_session), size_of_viewer(run_viewer_session));
        assert!(node <= IDLE_NODE_BYTES_MAX, "{node} bytes");
        assert!(viewer <= IDLE_VIEWER_BYTES_MAX, "{viewer} bytes");
    }
}
