//! What is measured, a file for each.

mod browser;
mod delivery;
mod endurance;
mod error;
mod history;
mod idle;
mod lab;
mod live;
mod node;
pub mod recording;
mod rollout;
mod soak;
mod stage;
mod store;
mod subject;

pub use browser::browser;
pub use delivery::delivery;
pub use endurance::endurance;
pub use error::ScenarioError;
pub use history::history;
pub use idle::{idle_sockets, reconnect};
pub use lab::lab;
pub use live::{live, live_large, stalled_viewers};
pub use node::node_client;
pub use rollout::rollout;
pub use soak::soak;
pub use stage::Stage;
pub use store::store;
