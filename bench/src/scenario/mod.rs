//! What is measured, a file for each.

mod error;
mod idle;
mod live;
mod node;
mod stage;

pub use error::ScenarioError;
pub use idle::{idle_sockets, reconnect};
pub use live::{LivePlan, live, stalled_viewers};
pub use node::node_client;
pub use stage::Stage;
