//! The one seam between the server and what it keeps.

use async_trait::async_trait;

use super::{
    Account, AccountId, ApiKey, ApiKeyId, DroppedRecord, EventStore, HistoryRow, HostId, HostRecord,
    Resolution, SampleBatch, SeqRanges, Session, StoreError,
};

/// Keeps accounts, keys, hosts and samples, and what [`EventStore`] adds. Every write is durable when it returns.
#[async_trait]
pub trait Store: EventStore {
    /// Adds an account. With `only_first`, just when there is none yet, in one atomic step.
    ///
    /// # Errors
    /// `Conflict` when the name is taken, or when `only_first` and there is an account already.
    async fn create_account(&self, account: Account, only_first: bool) -> Result<(), StoreError>;
    /// How many accounts there are.
    async fn count_accounts(&self) -> Result<u64, StoreError>;
    /// The account of that id.
    async fn account(&self, id: &AccountId) -> Result<Option<Account>, StoreError>;
    /// The account of that log-in name, without regard to case.
    async fn account_by_name(&self, name: &str) -> Result<Option<Account>, StoreError>;
    /// Replaces an account's password hash and ends all its sessions.
    async fn set_password(&self, id: &AccountId, password_hash: &str) -> Result<(), StoreError>;

    /// Adds a session.
    async fn create_session(&self, session: Session) -> Result<(), StoreError>;
    /// The session of that token hash, used or not.
    async fn session(&self, token_hash: &str) -> Result<Option<Session>, StoreError>;
    /// Marks `old_token_hash` used and adds `next`, in one atomic step; false when it was used or ended before.
    async fn rotate_session(&self, old_token_hash: &str, next: Session) -> Result<bool, StoreError>;
    /// Ends every session of a family.
    async fn end_session_family(&self, family: &str) -> Result<(), StoreError>;
    /// Removes sessions that ended before `now_unix_ms`; returns how many.
    async fn remove_expired_sessions(&self, now_unix_ms: i64) -> Result<u64, StoreError>;

    /// Adds an API key.
    async fn create_api_key(&self, key: ApiKey) -> Result<(), StoreError>;
    /// All keys of an account, oldest first.
    async fn api_keys(&self, account: &AccountId) -> Result<Vec<ApiKey>, StoreError>;
    /// The key of that hash.
    async fn api_key_by_hash(&self, key_hash: &str) -> Result<Option<ApiKey>, StoreError>;
    /// Removes a key of the account.
    ///
    /// # Errors
    /// `NotFound` when the account has no such key.
    async fn revoke_api_key(&self, account: &AccountId, id: &ApiKeyId) -> Result<(), StoreError>;
    /// Notes that a key was used; an unknown key is ignored.
    async fn touch_api_key(&self, id: &ApiKeyId, now_unix_ms: i64) -> Result<(), StoreError>;

    /// Adds or replaces a host.
    async fn put_host(&self, host: HostRecord) -> Result<(), StoreError>;
    /// All hosts of an account, by id.
    async fn hosts(&self, account: &AccountId) -> Result<Vec<HostRecord>, StoreError>;
    /// All hosts of all accounts, for the server's start.
    async fn all_hosts(&self) -> Result<Vec<HostRecord>, StoreError>;
    /// A host of the account.
    async fn host(&self, account: &AccountId, id: &HostId) -> Result<Option<HostRecord>, StoreError>;
    /// Removes a host and all its samples.
    ///
    /// # Errors
    /// `NotFound` when the account has no such host.
    async fn delete_host(&self, account: &AccountId, id: &HostId) -> Result<(), StoreError>;

    /// Makes samples and drops durable, in one group; what is stored already is stored once.
    async fn append(&self, batches: &[SampleBatch]) -> Result<(), StoreError>;
    /// Which sequence numbers of an epoch are settled: stored, expired or reported as dropped.
    async fn settled(&self, host: &HostId, epoch: &str) -> Result<SeqRanges, StoreError>;
    /// Rows of the named series with `from_unix_ms <= time < to_unix_ms`, ascending by time. Roll-ups include
    /// samples that have not been rolled up yet. At most `limit` rows.
    async fn history(
        &self,
        host: &HostId,
        series: &[String],
        resolution: Resolution,
        from_unix_ms: i64,
        to_unix_ms: i64,
        limit: usize,
    ) -> Result<Vec<HistoryRow>, StoreError>;
    /// Names of the series that a host has between two instants, sorted.
    async fn series_names(
        &self,
        host: &HostId,
        from_unix_ms: i64,
        to_unix_ms: i64,
    ) -> Result<Vec<String>, StoreError>;
    /// Ranges that were reported as dropped and touch the window.
    async fn dropped(
        &self,
        host: &HostId,
        from_unix_ms: i64,
        to_unix_ms: i64,
    ) -> Result<Vec<DroppedRecord>, StoreError>;
    /// Earliest instant from which a resolution is still kept; `i64::MIN` while nothing was ever removed.
    async fn kept_from(&self, resolution: Resolution) -> Result<i64, StoreError> {
        let _ = resolution;
        Ok(i64::MIN)
    }
    /// Rolls up, drops what is past retention or over the size limit; called every minute or so.
    async fn maintain(&self, now_unix_ms: i64) -> Result<(), StoreError>;
    /// Whether reads and writes work now, for `/readyz`.
    async fn check(&self) -> Result<(), StoreError>;
}
