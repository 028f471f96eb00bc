//! What the server keeps: one trait, several implementations, one contract suite for all of them.

pub mod embedded;
mod error;
mod event_trait;
mod events;
pub mod memory;
pub mod mongodb;
pub mod readings;
mod records;
pub mod retention;
pub mod rollup;
mod seq_ranges;
pub mod series;
mod store_trait;
mod transfer_trait;

pub use embedded::EmbeddedStore;
pub use error::StoreError;
pub use event_trait::EventStore;
pub use events::{AnswerRecord, DeployRecord};
pub use memory::MemoryStore;
pub use mongodb::MongoStore;
pub use records::{
    Account, AccountId, ApiKey, ApiKeyId, DroppedRecord, HistoryRow, HostId, HostRecord, Resolution,
    SampleBatch, SeriesAggregate, Session,
};
pub use seq_ranges::SeqRanges;
pub use store_trait::Store;
pub use transfer_trait::{NumberedSample, SAMPLE_WINDOW_MS, TransferStore};
