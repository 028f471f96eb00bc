//! Keeps samples until the server has acknowledged them.
//!
//! A spool is a folder: `epoch` names the numbering, `position` holds how far it went, `segment-*` hold the samples,
//! `dropped.json` what was lost and is not reported yet. Every state in which a crash can leave these files is one that
//! [`Spool::open`] understands: a sequence number is never used for two samples.
//!
//! Samples are written before they are sent. They reach the disk itself within [`SYNC_EVERY`]; a killed program loses
//! nothing, a power cut at most what was taken since, and that is counted as damaged.

mod disk;
mod drops;
mod folder;
mod limits;
mod memory;
mod position;
mod record;
mod segment;
mod store;

pub use drops::DropLedger;
pub use folder::SpoolError;
pub use limits::{AGE_MAX, MEMORY_BYTES_MAX, SEGMENT_BYTES, SYNC_EVERY, SpoolLimits};
pub use store::{Spool, SyncHandle};
