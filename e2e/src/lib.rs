//! What the whole-system tests stand on: a network that fails on command.

pub mod fault_proxy;
