//! A store that can be told to fail, as a full disk or a database that is away does.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use async_trait::async_trait;
use socket_server::store::{
    Account, AccountId, AnswerRecord, ApiKey, ApiKeyId, DeployRecord, DroppedRecord, EventStore, HistoryRow,
    HostId, HostRecord, Resolution, SampleBatch, SeqRanges, Session, Store, StoreError,
};

/// A store that takes neither samples nor answers while it is told so.
pub(crate) struct FaultyStore {
    inner: Box<dyn Store>,
    failing: AtomicBool,
    unfit_seq: AtomicU64,
}

impl FaultyStore {
    pub(crate) fn new(inner: impl Store) -> Self {
        Self {
            inner: Box::new(inner),
            failing: AtomicBool::new(false),
            unfit_seq: AtomicU64::new(0),
        }
    }

    /// Makes samples and answers be refused, or taken again.
    pub(crate) fn fail(&self, failing: bool) {
        self.failing.store(failing, Ordering::SeqCst);
    }

    fn takes(&self) -> Result<(), StoreError> {
        if self.failing.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable {
                reason: "told to fail".into(),
            });
        }
        Ok(())
    }

    /// Makes appends that hold a sample of this number fail for ever.
    pub(crate) fn refuse(&self, seq: u64) {
        self.unfit_seq.store(seq, Ordering::SeqCst);
    }
}

#[async_trait]
impl EventStore for FaultyStore {
    async fn put_deploy_event(&self, event: DeployRecord) -> Result<(), StoreError> {
        self.inner.put_deploy_event(event).await
    }

    async fn deploy_events(
        &self,
        account: &AccountId,
        from_unix_ms: i64,
        to_unix_ms: i64,
        limit: usize,
    ) -> Result<Vec<DeployRecord>, StoreError> {
        self.inner
            .deploy_events(account, from_unix_ms, to_unix_ms, limit)
            .await
    }

    async fn put_answer(&self, answer: AnswerRecord) -> Result<(), StoreError> {
        self.takes()?;
        self.inner.put_answer(answer).await
    }

    async fn answer(&self, host: &HostId, kind: &str) -> Result<Option<AnswerRecord>, StoreError> {
        self.inner.answer(host, kind).await
    }

    async fn answers(&self, host: &HostId) -> Result<Vec<AnswerRecord>, StoreError> {
        self.inner.answers(host).await
    }
}

#[async_trait]
impl Store for FaultyStore {
    async fn create_account(&self, account: Account, only_first: bool) -> Result<(), StoreError> {
        self.inner.create_account(account, only_first).await
    }

    async fn count_accounts(&self) -> Result<u64, StoreError> {
        self.inner.count_accounts().await
    }

    async fn account(&self, id: &AccountId) -> Result<Option<Account>, StoreError> {
        self.inner.account(id).await
    }

    async fn account_by_name(&self, name: &str) -> Result<Option<Account>, StoreError> {
        self.inner.account_by_name(name).await
    }

    async fn set_password(&self, id: &AccountId, password_hash: &str) -> Result<(), StoreError> {
        self.inner.set_password(id, password_hash).await
    }

    async fn create_session(&self, session: Session) -> Result<(), StoreError> {
        self.inner.create_session(session).await
    }

    async fn session(&self, token_hash: &str) -> Result<Option<Session>, StoreError> {
        self.inner.session(token_hash).await
    }

    async fn rotate_session(&self, old_token_hash: &str, next: Session) -> Result<bool, StoreError> {
        self.inner.rotate_session(old_token_hash, next).await
    }

    async fn end_session_family(&self, family: &str) -> Result<(), StoreError> {
        self.inner.end_session_family(family).await
    }

    async fn remove_expired_sessions(&self, now_unix_ms: i64) -> Result<u64, StoreError> {
        self.inner.remove_expired_sessions(now_unix_ms).await
    }

    async fn create_api_key(&self, key: ApiKey) -> Result<(), StoreError> {
        self.inner.create_api_key(key).await
    }

    async fn api_keys(&self, account: &AccountId) -> Result<Vec<ApiKey>, StoreError> {
        self.inner.api_keys(account).await
    }

    async fn api_key_by_hash(&self, key_hash: &str) -> Result<Option<ApiKey>, StoreError> {
        self.inner.api_key_by_hash(key_hash).await
    }

    async fn revoke_api_key(&self, account: &AccountId, id: &ApiKeyId) -> Result<(), StoreError> {
        self.inner.revoke_api_key(account, id).await
    }

    async fn touch_api_key(&self, id: &ApiKeyId, now_unix_ms: i64) -> Result<(), StoreError> {
        self.inner.touch_api_key(id, now_unix_ms).await
    }

    async fn put_host(&self, host: HostRecord) -> Result<(), StoreError> {
        self.inner.put_host(host).await
    }

    async fn hosts(&self, account: &AccountId) -> Result<Vec<HostRecord>, StoreError> {
        self.inner.hosts(account).await
    }

    async fn all_hosts(&self) -> Result<Vec<HostRecord>, StoreError> {
        self.inner.all_hosts().await
    }

    async fn host(&self, account: &AccountId, id: &HostId) -> Result<Option<HostRecord>, StoreError> {
        self.inner.host(account, id).await
    }

    async fn delete_host(&self, account: &AccountId, id: &HostId) -> Result<(), StoreError> {
        self.inner.delete_host(account, id).await
    }

    async fn append(&self, batches: &[SampleBatch]) -> Result<(), StoreError> {
        self.takes()?;
        let unfit = self.unfit_seq.load(Ordering::SeqCst);
        if batches
            .iter()
            .flat_map(|batch| &batch.samples)
            .any(|sample| sample.seq == unfit)
        {
            return Err(StoreError::Unfit {
                reason: "told to refuse it".into(),
            });
        }
        self.inner.append(batches).await
    }

    async fn settled(&self, host: &HostId, epoch: &str) -> Result<SeqRanges, StoreError> {
        self.inner.settled(host, epoch).await
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
        self.inner
            .history(host, series, resolution, from_unix_ms, to_unix_ms, limit)
            .await
    }

    async fn series_names(
        &self,
        host: &HostId,
        from_unix_ms: i64,
        to_unix_ms: i64,
    ) -> Result<Vec<String>, StoreError> {
        self.inner.series_names(host, from_unix_ms, to_unix_ms).await
    }

    async fn dropped(
        &self,
        host: &HostId,
        from_unix_ms: i64,
        to_unix_ms: i64,
    ) -> Result<Vec<DroppedRecord>, StoreError> {
        self.inner.dropped(host, from_unix_ms, to_unix_ms).await
    }

    async fn kept_from(&self, resolution: Resolution) -> Result<i64, StoreError> {
        self.inner.kept_from(resolution).await
    }

    async fn maintain(&self, now_unix_ms: i64) -> Result<(), StoreError> {
        self.inner.maintain(now_unix_ms).await
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.inner.check().await
    }
}
