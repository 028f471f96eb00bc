//! The memory store behind the store trait.

use async_trait::async_trait;

use super::state::Shared;
use crate::store::{
    Account, AccountId, ApiKey, ApiKeyId, DroppedRecord, HistoryRow, HostId, HostRecord, Resolution,
    SampleBatch, SeqRanges, Session, Store, StoreError,
};

/// Keeps everything in memory; for tests and for a first look.
#[derive(Debug, Default)]
pub struct MemoryStore {
    pub(super) shared: Shared,
}

#[async_trait]
impl Store for MemoryStore {
    async fn create_account(&self, account: Account, only_first: bool) -> Result<(), StoreError> {
        self.shared.lock().create_account(account, only_first)
    }

    async fn count_accounts(&self) -> Result<u64, StoreError> {
        Ok(self.shared.lock().accounts.len() as u64)
    }

    async fn account(&self, id: &AccountId) -> Result<Option<Account>, StoreError> {
        Ok(self.shared.lock().accounts.get(id).cloned())
    }

    async fn account_by_name(&self, name: &str) -> Result<Option<Account>, StoreError> {
        Ok(self.shared.lock().account_by_name(name))
    }

    async fn set_password(&self, id: &AccountId, password_hash: &str) -> Result<(), StoreError> {
        self.shared.lock().set_password(id, password_hash)
    }

    async fn create_session(&self, session: Session) -> Result<(), StoreError> {
        self.shared
            .lock()
            .sessions
            .insert(session.token_hash.clone(), session);
        Ok(())
    }

    async fn session(&self, token_hash: &str) -> Result<Option<Session>, StoreError> {
        Ok(self.shared.lock().sessions.get(token_hash).cloned())
    }

    async fn rotate_session(&self, old_token_hash: &str, next: Session) -> Result<bool, StoreError> {
        Ok(self.shared.lock().rotate_session(old_token_hash, next))
    }

    async fn end_session_family(&self, family: &str) -> Result<(), StoreError> {
        self.shared
            .lock()
            .sessions
            .retain(|_, session| session.family != family);
        Ok(())
    }

    async fn remove_expired_sessions(&self, now_unix_ms: i64) -> Result<u64, StoreError> {
        Ok(self.shared.lock().remove_expired_sessions(now_unix_ms))
    }

    async fn create_api_key(&self, key: ApiKey) -> Result<(), StoreError> {
        self.shared.lock().create_api_key(key)
    }

    async fn api_keys(&self, account: &AccountId) -> Result<Vec<ApiKey>, StoreError> {
        Ok(self.shared.lock().api_keys_of(account))
    }

    async fn api_key_by_hash(&self, key_hash: &str) -> Result<Option<ApiKey>, StoreError> {
        Ok(self.shared.lock().api_key_by_hash(key_hash))
    }

    async fn revoke_api_key(&self, account: &AccountId, id: &ApiKeyId) -> Result<(), StoreError> {
        self.shared.lock().revoke_api_key(account, id)
    }

    async fn touch_api_key(&self, id: &ApiKeyId, now_unix_ms: i64) -> Result<(), StoreError> {
        if let Some(key) = self.shared.lock().api_keys.get_mut(id) {
            key.last_used_unix_ms = Some(now_unix_ms);
        }
        Ok(())
    }

    async fn put_host(&self, host: HostRecord) -> Result<(), StoreError> {
        self.shared.lock().hosts.insert(host.id.clone(), host);
        Ok(())
    }

    async fn hosts(&self, account: &AccountId) -> Result<Vec<HostRecord>, StoreError> {
        Ok(self.shared.lock().hosts_of(account))
    }

    async fn all_hosts(&self) -> Result<Vec<HostRecord>, StoreError> {
        Ok(self.shared.lock().hosts.values().cloned().collect())
    }

    async fn host(&self, account: &AccountId, id: &HostId) -> Result<Option<HostRecord>, StoreError> {
        Ok(self.shared.lock().host(account, id))
    }

    async fn delete_host(&self, account: &AccountId, id: &HostId) -> Result<(), StoreError> {
        self.shared.lock().delete_host(account, id)
    }

    async fn append(&self, batches: &[SampleBatch]) -> Result<(), StoreError> {
        self.shared.lock().append(batches);
        Ok(())
    }

    async fn settled(&self, host: &HostId, epoch: &str) -> Result<SeqRanges, StoreError> {
        let state = self.shared.lock();
        Ok(state
            .past
            .get(host)
            .and_then(|past| past.settled.get(epoch))
            .cloned()
            .unwrap_or_default())
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
        let state = self.shared.lock();
        Ok(state.past.get(host).map_or_else(Vec::new, |past| {
            past.history(series, resolution, from_unix_ms, to_unix_ms, limit)
        }))
    }

    async fn series_names(
        &self,
        host: &HostId,
        from_unix_ms: i64,
        to_unix_ms: i64,
    ) -> Result<Vec<String>, StoreError> {
        let state = self.shared.lock();
        Ok(state
            .past
            .get(host)
            .map_or_else(Vec::new, |past| past.series_names(from_unix_ms, to_unix_ms)))
    }

    async fn dropped(
        &self,
        host: &HostId,
        from_unix_ms: i64,
        to_unix_ms: i64,
    ) -> Result<Vec<DroppedRecord>, StoreError> {
        let state = self.shared.lock();
        Ok(state
            .past
            .get(host)
            .map_or_else(Vec::new, |past| past.dropped_within(from_unix_ms, to_unix_ms)))
    }

    async fn maintain(&self, now_unix_ms: i64) -> Result<(), StoreError> {
        self.remove_expired_sessions(now_unix_ms).await?;
        Ok(())
    }

    async fn check(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
