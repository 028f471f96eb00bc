//! The store in a MongoDB: documents that a person can query in mongosh. Writes are majority and journalled;
//! TTL indexes hold the retention.

mod append;
mod connect;
mod history;
mod maintain;
mod records;
mod store;
mod transfer;

pub use store::MongoStore;
