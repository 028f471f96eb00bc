//! Opens the store that a configuration names.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use secrecy::SecretString;
use socket_server::{
    config::{Config, StoreLocation},
    store::{EmbeddedStore, MemoryStore, MongoStore, StoreError, TransferStore},
};
use thiserror::Error;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// How long a start waits for a MongoDB: a first start of its image on a slow disk takes a minute.
const PATIENCE: Duration = Duration::from_secs(300);

/// Between two tries.
const LOOK: Duration = Duration::from_secs(2);

/// Why a command failed, in words.
pub(super) type Failure = Box<dyn std::error::Error>;

/// Opens the store, or makes it.
pub(super) async fn open(config: &Config) -> Result<Arc<dyn TransferStore>, Failure> {
    match &config.store {
        StoreLocation::Memory => Ok(Arc::new(MemoryStore::default())),
        StoreLocation::Embedded(folder) => Ok(Arc::new(EmbeddedStore::open(folder, config.retention).await?)),
        StoreLocation::MongoDb(address) => {
            let password = config.store_password_file.as_deref().map(password).transpose()?;
            let address = secrecy::ExposeSecret::expose_secret(address);
            Ok(Arc::new(
                MongoStore::connect(address, password, config.retention).await?,
            ))
        }
    }
}

/// Opens the store, and waits for a MongoDB that is not there yet: both may be starting at the same moment. Ends with
/// the last failure when `ending` comes first.
pub(super) async fn open_patiently(
    config: &Config,
    ending: &CancellationToken,
) -> Result<Arc<dyn TransferStore>, Failure> {
    let began = Instant::now();
    loop {
        let failure = match open(config).await {
            Ok(store) => return Ok(store),
            Err(failure) => failure,
        };
        let can_come = failure.is::<PasswordFileError>()
            || matches!(failure.downcast_ref(), Some(StoreError::Unavailable { .. }));
        if !can_come || !matches!(config.store, StoreLocation::MongoDb(_)) || began.elapsed() > PATIENCE {
            return Err(failure);
        }
        tracing::warn!(%failure, "waiting for the store");
        if ending.run_until_cancelled(sleep(LOOK)).await.is_none() {
            return Err(failure);
        }
    }
}

/// The password in a file.
#[derive(Debug, Error)]
enum PasswordFileError {
    #[error("cannot read the store's password from {}: {cause}", path.display())]
    Unreadable { path: PathBuf, cause: io::Error },
    #[error("the store's password file {} is empty: put the password of the MongoDB user into it", path.display())]
    Empty { path: PathBuf },
}

fn password(path: &Path) -> Result<SecretString, PasswordFileError> {
    let path = path.to_owned();
    match std::fs::read_to_string(&path) {
        Err(cause) => Err(PasswordFileError::Unreadable { path, cause }),
        Ok(text) if text.trim().is_empty() => Err(PasswordFileError::Empty { path }),
        Ok(text) => Ok(text.trim().to_owned().into()),
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
