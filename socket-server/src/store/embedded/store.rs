//! The embedded store behind the store trait.

use std::{path::PathBuf, sync::Arc};

use async_trait::async_trait;

use super::{
    accounts::records,
    append::{Prepared, append},
    folder::{OpenError, require},
    hosts::delete_host,
    maintain::{expire_some, pack_some, ready},
    opened::Opened,
    tables::Tables,
    view::{View, read_ranges},
    writer::Writer,
};
use crate::store::{
    Account, AccountId, ApiKey, ApiKeyId, DroppedRecord, HistoryRow, HostId, HostRecord, Resolution,
    SampleBatch, SeqRanges, Session, Store, StoreError, retention::Retention,
};

/// Keeps everything in a folder; only one process may open it.
pub struct EmbeddedStore {
    pub(super) opened: Arc<Opened>,
    pub(super) writer: Writer,
    retention: Retention,
}

impl EmbeddedStore {
    /// Opens a folder, or makes it.
    ///
    /// # Errors
    /// When the folder cannot be used, holds something else, is of a newer format or is open in another process.
    pub async fn open(folder: impl Into<PathBuf>, retention: Retention) -> Result<Self, OpenError> {
        let folder: PathBuf = folder.into();
        let name = folder.display().to_string();
        let opened = tokio::task::spawn_blocking(move || {
            let opened = Arc::new(Opened::open(folder.clone())?);
            let writer = Writer::start(Arc::clone(&opened)).map_err(|source| OpenError::Folder {
                folder: folder.display().to_string(),
                source,
            })?;
            Ok(Self {
                opened,
                writer,
                retention,
            })
        });
        opened.await.unwrap_or_else(|error| {
            Err(OpenError::Engine {
                folder: name,
                reason: error.to_string(),
            })
        })
    }

    /// Opens a folder that holds a store; makes none.
    ///
    /// # Errors
    /// `Missing` when there is none, and as [`Self::open`] has them.
    pub async fn open_existing(folder: impl Into<PathBuf>, retention: Retention) -> Result<Self, OpenError> {
        let folder: PathBuf = folder.into();
        require(&folder)?;
        Self::open(folder, retention).await
    }

    pub(super) async fn read<T: Send + 'static>(
        &self,
        job: impl FnOnce(&View) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let opened = Arc::clone(&self.opened);
        let done = tokio::task::spawn_blocking(move || opened.read(job)).await;
        done.unwrap_or_else(|error| {
            Err(StoreError::Unavailable {
                reason: format!("a read ended early: {error}"),
            })
        })
    }

    pub(super) async fn write<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Tables) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.writer.write(move |state| job(&state.tables)).await
    }
}

#[async_trait]
impl Store for EmbeddedStore {
    async fn create_account(&self, account: Account, only_first: bool) -> Result<(), StoreError> {
        self.write(move |tables| tables.create_account(&account, only_first))
            .await
    }

    async fn count_accounts(&self) -> Result<u64, StoreError> {
        self.read(|view| Ok(view.tables.accounts.len()? as u64)).await
    }

    async fn account(&self, id: &AccountId) -> Result<Option<Account>, StoreError> {
        let id = id.clone();
        self.read(move |view| view.tables.account(&id)).await
    }

    async fn account_by_name(&self, name: &str) -> Result<Option<Account>, StoreError> {
        let name = name.to_owned();
        self.read(move |view| view.tables.account_by_name(&name)).await
    }

    async fn set_password(&self, id: &AccountId, password_hash: &str) -> Result<(), StoreError> {
        let (id, password_hash) = (id.clone(), password_hash.to_owned());
        self.write(move |tables| tables.set_password(&id, &password_hash))
            .await
    }

    async fn create_session(&self, session: Session) -> Result<(), StoreError> {
        self.write(move |tables| tables.create_session(&session)).await
    }

    async fn session(&self, token_hash: &str) -> Result<Option<Session>, StoreError> {
        let token_hash = token_hash.to_owned();
        self.read(move |view| view.tables.session(&token_hash)).await
    }

    async fn rotate_session(&self, old_token_hash: &str, next: Session) -> Result<bool, StoreError> {
        let old_token_hash = old_token_hash.to_owned();
        self.write(move |tables| tables.rotate_session(&old_token_hash, &next))
            .await
    }

    async fn end_session_family(&self, family: &str) -> Result<(), StoreError> {
        let family = family.to_owned();
        let ended = self.write(move |tables| tables.remove_sessions(|session| session.family == family));
        ended.await.map(drop)
    }

    async fn remove_expired_sessions(&self, now_unix_ms: i64) -> Result<u64, StoreError> {
        self.write(move |tables| tables.remove_sessions(|session| session.expires_unix_ms <= now_unix_ms))
            .await
    }

    async fn create_api_key(&self, key: ApiKey) -> Result<(), StoreError> {
        self.write(move |tables| tables.create_api_key(&key)).await
    }

    async fn api_keys(&self, account: &AccountId) -> Result<Vec<ApiKey>, StoreError> {
        let account = account.clone();
        self.read(move |view| view.tables.api_keys_of(&account)).await
    }

    async fn api_key_by_hash(&self, key_hash: &str) -> Result<Option<ApiKey>, StoreError> {
        let key_hash = key_hash.to_owned();
        self.read(move |view| view.tables.api_key_by_hash(&key_hash))
            .await
    }

    async fn revoke_api_key(&self, account: &AccountId, id: &ApiKeyId) -> Result<(), StoreError> {
        let (account, id) = (account.clone(), id.clone());
        self.write(move |tables| tables.revoke_api_key(&account, &id))
            .await
    }

    async fn touch_api_key(&self, id: &ApiKeyId, now_unix_ms: i64) -> Result<(), StoreError> {
        let id = id.clone();
        self.writer
            .write(move |state| state.tables.touch_api_key(&id, now_unix_ms))
            .await
    }

    async fn put_host(&self, host: HostRecord) -> Result<(), StoreError> {
        self.writer.write(move |state| state.tables.put_host(&host)).await
    }

    async fn hosts(&self, account: &AccountId) -> Result<Vec<HostRecord>, StoreError> {
        let account = account.clone();
        let hosts = self.read(|view| view.tables.all_hosts()).await?;
        Ok(hosts.into_iter().filter(|host| host.account == account).collect())
    }

    async fn all_hosts(&self) -> Result<Vec<HostRecord>, StoreError> {
        self.read(|view| records(&view.tables.hosts)).await
    }

    async fn host(&self, account: &AccountId, id: &HostId) -> Result<Option<HostRecord>, StoreError> {
        let (account, id) = (account.clone(), id.clone());
        self.read(move |view| view.tables.host(&account, &id)).await
    }

    async fn delete_host(&self, account: &AccountId, id: &HostId) -> Result<(), StoreError> {
        let (account, id) = (account.clone(), id.clone());
        self.writer
            .write(move |state| delete_host(state, &account, &id))
            .await
    }

    async fn append(&self, batches: &[SampleBatch]) -> Result<(), StoreError> {
        let batches: Vec<Prepared> = batches.iter().map(Prepared::from).collect();
        self.writer.write(move |state| append(state, &batches)).await
    }

    async fn settled(&self, host: &HostId, epoch: &str) -> Result<SeqRanges, StoreError> {
        let key = super::keys::named(host, epoch);
        self.read(move |view| read_ranges(view.tables.settled.get(key)?.as_deref()))
            .await
    }

    async fn history(
        &self,
        host: &HostId,
        series: &[String],
        resolution: Resolution,
        from_unix_ms: i64,
        to_unix_ms: i64,
        limit: usize,
    ) -> Result<Vec<HistoryRow>, StoreError> {
        let (host, series) = (host.clone(), series.to_vec());
        self.read(move |view| {
            let (from, to) = (from_unix_ms, to_unix_ms);
            let mut rows = match resolution {
                Resolution::Second => view.sample_rows(&host, &series, resolution, from, to, limit)?,
                Resolution::Minute => view.minute_rows(&host, &series, from, to)?,
                Resolution::Hour => view
                    .hours(&host, Some(&series), from, to)?
                    .rows(&series, from, to),
            };
            rows.truncate(limit);
            Ok(rows)
        })
        .await
    }

    async fn series_names(
        &self,
        host: &HostId,
        from_unix_ms: i64,
        to_unix_ms: i64,
    ) -> Result<Vec<String>, StoreError> {
        let host = host.clone();
        self.read(move |view| view.series_names(&host, from_unix_ms, to_unix_ms))
            .await
    }

    async fn dropped(
        &self,
        host: &HostId,
        from_unix_ms: i64,
        to_unix_ms: i64,
    ) -> Result<Vec<DroppedRecord>, StoreError> {
        let host = host.clone();
        self.read(move |view| view.dropped(&host, from_unix_ms, to_unix_ms))
            .await
    }

    async fn kept_from(&self, resolution: Resolution) -> Result<i64, StoreError> {
        self.read(move |view| view.watermark(resolution)).await
    }

    async fn maintain(&self, now_unix_ms: i64) -> Result<(), StoreError> {
        self.remove_expired_sessions(now_unix_ms).await?;
        // Packing a bucket can call for the next one to be packed again; that ends, since each changes its end once.
        loop {
            let mut buckets = self.read(move |view| ready(view, now_unix_ms)).await?;
            if buckets.is_empty() {
                break;
            }
            while !buckets.is_empty() {
                let turn = buckets.clone();
                let done = self.writer.write(move |state| pack_some(state, &turn)).await?;
                buckets.drain(..done);
            }
        }
        let retention = self.retention;
        while !self
            .write(move |tables| expire_some(tables, &retention, now_unix_ms))
            .await?
        {}
        if let Some(bytes_max) = retention.bytes_max {
            self.keep_within(bytes_max, now_unix_ms).await?;
        }
        Ok(())
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.write(|_| Ok(())).await
    }
}
