//! Simulated hosts and viewers over real sockets.

mod address;
mod dialect;
mod host;
mod relay;
mod sample;
mod socket;
mod viewer;

pub use address::source_address;
pub use dialect::Dialect;
pub use host::{FleetLoad, FleetPlan, LoadCounts};
pub use relay::Relay;
pub use sample::simulated_sample;
pub use socket::{LoadError, connect_node, connect_peer_viewer, connect_viewer};
pub use viewer::{Latencies, VIEWER_INDEX, drain, watch};
