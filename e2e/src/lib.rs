//! What the whole-system tests stand on: real programs, a network that fails on command, and a ledger.

pub mod cluster;
pub mod fault_proxy;
pub mod ledger;
pub mod programs;
pub mod torture;
