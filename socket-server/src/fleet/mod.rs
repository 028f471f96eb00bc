//! What a fleet is: the hosts of each account, who is connected, what they say, and who watches.
//!
//! Invariants: nothing crosses from one account to another, because every call names an account and finds only its
//! room. The live path never waits for the store. No type of the HTTP or WebSocket libraries appears here.

mod clock;
mod host_entry;
mod link;
mod manage;
mod outbox;
mod presence;
mod registry;
mod room;
mod row;
mod writer;

pub use link::{CloseReason, HostLink, Mailbox};
pub use manage::HostChange;
pub use outbox::{Delivery, Viewer};
pub use presence::{JoinError, Joined};
pub use registry::{Fleet, FleetCounts};
pub use room::encode;
pub use writer::StoreHealth;
