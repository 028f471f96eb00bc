//! Simulated hosts and viewers over real sockets.

mod address;
mod host;
mod sample;
mod socket;
mod viewer;

pub use address::source_address;
pub use host::{FleetLoad, FleetPlan, LoadCounts};
pub use sample::simulated_sample;
pub use socket::{LoadError, connect_node, connect_viewer};
pub use viewer::{Latencies, watch};
