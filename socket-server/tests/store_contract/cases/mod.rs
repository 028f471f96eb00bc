//! The cases, in the order in which they run.

mod accounts;
mod events;
mod hosts;
mod keys;
mod list;
mod moving;
mod rollups;
mod samples;
mod sessions;

pub(crate) use list::{all, moves, moves_with_rollups, say};
