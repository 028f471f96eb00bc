//! What every store promises, as one suite of cases that runs on all of them.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]
#![expect(clippy::panic, reason = "a test fails by panicking")]

mod cases;
mod door;
mod fixture;
mod mongodb_faults;
mod mongodb_schema;
mod mongodb_server;
mod on_embedded;
mod on_memory;
mod on_mongodb;
