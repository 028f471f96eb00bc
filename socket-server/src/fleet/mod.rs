//! What a fleet is: the hosts of each account, who is connected, what they say, and who watches.
//!
//! Invariants: nothing crosses from one account to another, because every call names an account and finds only its
//! room. The live path never waits for the store. No type of the HTTP or WebSocket libraries appears here.

mod ask;
mod clock;
mod committer;
mod confine;
mod frame;
mod host_entry;
mod kept_record;
mod link;
mod manage;
mod outbox;
mod presence;
mod questions;
mod registry;
mod room;
mod row;
mod tidy;
mod writer;

pub use ask::AskError;
pub use confine::confine;
pub use frame::encode;
pub use link::{CloseReason, HostLink, Mailbox};
pub use manage::HostChange;
pub use outbox::{Delivery, Viewer};
pub use presence::{JoinError, Joined};
pub use registry::{Fleet, FleetCounts};
pub use writer::StoreHealth;
