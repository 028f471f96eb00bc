//! The default store: a folder, no server to start. Samples are committed in groups, packed into compressed
//! columns, and rolled up to minutes and hours.

mod accounts;
mod append;
mod bytes;
mod column;
mod duplicate;
mod encoded;
mod events;
mod folder;
mod history;
mod hosts;
mod keys;
mod limit;
mod maintain;
mod opened;
mod pack;
mod plain;
mod rollup_chunk;
mod run;
mod sample_chunk;
mod sample_rows;
mod store;
mod tables;
mod transfer;
mod unpacked;
mod view;
mod writer;

pub use folder::{FolderLock, OpenError, is_of_engine};
pub use store::EmbeddedStore;
