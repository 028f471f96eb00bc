//! The load generator and the benchmarks: real sockets, open-loop send times, a process of its own.

pub mod api;
pub mod catalogue;
pub mod context;
pub mod load;
pub mod peer;
pub mod process;
pub mod report;
pub mod rest;
pub mod scenario;
