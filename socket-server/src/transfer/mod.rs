//! Moving and keeping: a whole store to a file and back, and a copy of an embedded store's folder.
//!
//! An export is made of a store's answers, so that it fits every kind of store. A backup is a copy of files: it
//! is faster, holds log-ins and the token secret too, and fits the embedded store only.

mod backup;
mod backup_error;
mod checksum;
mod copy;
mod error;
mod export;
mod format;
mod import;
mod live_backup;
mod reader;
mod report;
mod writer;

pub use backup::{Backup, back_up, restore};
pub use backup_error::BackupError;
pub use error::TransferError;
pub use export::export;
pub use format::{EXPORT_FILE, Section};
pub use import::{import, verify};
pub use live_backup::back_up_live;
pub use report::{Moved, Report};
