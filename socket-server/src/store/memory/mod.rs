//! The reference store: everything in memory, nothing survives the process.

mod accounts;
mod events;
mod history;
mod hosts;
mod state;
mod store;
mod transfer;

pub use store::MemoryStore;
