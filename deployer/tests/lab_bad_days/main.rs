//! Bad days on real hosts: what fails says why and what to do, nothing waits for ever, and what ran before still runs.
//!
//! Needs root, Podman and Debian's packages; `cargo xtask test` runs it with the feature `lab-tests`. Each test has a
//! lab of its own and takes one bad day after the other on it. Twenty hosts at once have the machine to themselves
//! (`lab_many_hosts.rs`), and states that no engine of ours reports are shown by a fake engine (`containers/listing.rs`).

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod cut_off;
mod day;
mod every_step;
mod gone;
mod hold;
mod interrupted;
mod put_back;
mod refused;
mod small_sshd;
#[expect(dead_code, reason = "other tests need the rest")]
#[path = "../support/mod.rs"]
mod support;
mod told;
mod wire;
