//! What the whole-system tests stand on: real programs, a network and disks that fail on command, and a ledger.

pub mod campaign;
pub mod cluster;
pub mod fault_proxy;
pub mod frames;
pub mod host;
pub mod ledger;
pub mod plan;
pub mod programs;
pub mod secantus;
pub mod server;
pub mod small_disk;
pub mod tap;
pub mod template;
pub mod torture;
