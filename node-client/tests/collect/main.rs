//! Readings of recorded hosts, and of hosts that change while they are read.
#![cfg(target_os = "linux")]
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod devices;
mod host;
mod processors;
mod recorded;
