//! The store in a MongoDB: documents that a person can query in mongosh. Writes are majority and journalled;
//! TTL indexes hold the retention.

mod append;
mod connect;
mod documents;
mod events;
mod history;
mod maintain;
mod records;
mod schema;
mod store;
mod transfer;

pub use store::MongoStore;
