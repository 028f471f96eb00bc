//! firewalld: what is open, what has to be, and the commands between the two. Runtime and permanent are seen and set
//! each on its own, and nothing is ever reloaded, for a reload would drop the engine's own rules.

mod command;
mod listing;
mod rule;

pub use command::{change, query, stamp};
pub use listing::parse_listing;
pub use rule::{FirewallState, Opened, PortRule};
