//! Moving and keeping through their public doors: what goes into a file comes back out, and nothing else is taken.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod backups;
mod bad_files;
mod fixture;
mod live_backups;
mod programs;
mod round_trips;
