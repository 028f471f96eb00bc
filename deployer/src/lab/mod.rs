//! A lab from nothing: hosts as systemd containers on the engine of this machine.
//!
//! Each host has its own address, host key and firewall, and an engine inside, so that a rollout cannot tell it from a
//! virtual machine. All that is made carries a label, and `down` removes exactly that.

mod base;
mod command;
mod down;
mod error;
mod folder;
mod inventory_file;
mod leftovers;
mod names;
mod network;
mod reach;
mod session;
mod surroundings;
mod up;

pub use command::{Command, run};
pub use error::LabError;

/// The containers.conf under which this machine can run containers, when the engine's defaults would not do.
#[must_use]
pub fn engine_settings() -> Option<String> {
    surroundings::Surroundings::read().settings()
}
