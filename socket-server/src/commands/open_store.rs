//! Opens the store that a configuration names.

use std::sync::Arc;

use socket_server::{
    config::{Config, StoreLocation},
    store::{EmbeddedStore, MemoryStore, MongoStore, TransferStore},
};

/// Why a command failed, in words.
pub(super) type Failure = Box<dyn std::error::Error>;

/// Opens the store, or makes it.
pub(super) async fn open(config: &Config) -> Result<Arc<dyn TransferStore>, Failure> {
    match &config.store {
        StoreLocation::Memory => Ok(Arc::new(MemoryStore::default())),
        StoreLocation::Embedded(folder) => Ok(Arc::new(EmbeddedStore::open(folder, config.retention).await?)),
        StoreLocation::MongoDb(address) => {
            let address = secrecy::ExposeSecret::expose_secret(address);
            Ok(Arc::new(MongoStore::connect(address, config.retention).await?))
        }
    }
}

/// Opens a store that is there already.
pub(super) async fn open_existing(config: &Config) -> Result<Arc<dyn TransferStore>, Failure> {
    match &config.store {
        StoreLocation::Embedded(folder) => Ok(Arc::new(
            EmbeddedStore::open_existing(folder, config.retention).await?,
        )),
        _ => open(config).await,
    }
}
