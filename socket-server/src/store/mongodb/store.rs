//! The MongoDB store behind the store trait.

use std::collections::BTreeSet;

use async_trait::async_trait;
use mongodb::bson::doc;
use secrecy::SecretString;

use super::{
    connect::{Collections, failed},
    records::{find, list},
};
use crate::{
    clock::now_unix_ms,
    store::{
        Account, AccountId, ApiKey, ApiKeyId, DroppedRecord, HistoryRow, HostId, HostRecord, Resolution,
        SampleBatch, SeqRanges, Session, Store, StoreError, retention::Retention, series::visit_readings,
    },
};

/// Keeps everything in a MongoDB, version 6 to 8.
pub struct MongoStore {
    pub(super) collections: Collections,
    pub(super) retention: Retention,
}

impl MongoStore {
    /// Connects, migrates what an earlier release wrote, and makes the indexes. The password is that of the user whom
    /// the address names.
    ///
    /// # Errors
    /// `Unavailable` when no server answers in time; `Refused` when the address or the credentials are wrong, or a
    /// newer release wrote the database.
    pub async fn connect(
        address: &str,
        password: Option<SecretString>,
        retention: Retention,
    ) -> Result<Self, StoreError> {
        let collections = Box::pin(Collections::open(address, password, &retention)).await?;
        Ok(Self {
            collections,
            retention,
        })
    }
}

#[async_trait]
impl Store for MongoStore {
    async fn create_account(&self, account: Account, only_first: bool) -> Result<(), StoreError> {
        self.collections.create_account(&account, only_first).await
    }

    async fn count_accounts(&self) -> Result<u64, StoreError> {
        self.collections
            .users
            .count_documents(doc! {})
            .await
            .map_err(failed)
    }

    async fn account(&self, id: &AccountId) -> Result<Option<Account>, StoreError> {
        find(&self.collections.users, doc! { "_id": &id.0 }).await
    }

    async fn account_by_name(&self, name: &str) -> Result<Option<Account>, StoreError> {
        find(
            &self.collections.users,
            doc! { "name_lower": name.to_lowercase() },
        )
        .await
    }

    async fn set_password(&self, id: &AccountId, password_hash: &str) -> Result<(), StoreError> {
        self.collections.set_password(id, password_hash).await
    }

    async fn create_session(&self, session: Session) -> Result<(), StoreError> {
        self.collections.create_session(&session).await
    }

    async fn session(&self, token_hash: &str) -> Result<Option<Session>, StoreError> {
        find(&self.collections.sessions, doc! { "_id": token_hash }).await
    }

    async fn rotate_session(&self, old_token_hash: &str, next: Session) -> Result<bool, StoreError> {
        self.collections.rotate_session(old_token_hash, &next).await
    }

    async fn end_session_family(&self, family: &str) -> Result<(), StoreError> {
        self.collections
            .sessions
            .delete_many(doc! { "family": family })
            .await
            .map_err(failed)?;
        Ok(())
    }

    async fn remove_expired_sessions(&self, now_unix_ms: i64) -> Result<u64, StoreError> {
        let filter = doc! { "expires_unix_ms": { "$lte": now_unix_ms } };
        Ok(self
            .collections
            .sessions
            .delete_many(filter)
            .await
            .map_err(failed)?
            .deleted_count)
    }

    async fn create_api_key(&self, key: ApiKey) -> Result<(), StoreError> {
        self.collections.create_api_key(&key).await
    }

    async fn api_keys(&self, account: &AccountId) -> Result<Vec<ApiKey>, StoreError> {
        let order = doc! { "created_unix_ms": 1, "_id": 1 };
        list(&self.collections.api_keys, doc! { "account": &account.0 }, order).await
    }

    async fn api_key_by_hash(&self, key_hash: &str) -> Result<Option<ApiKey>, StoreError> {
        find(&self.collections.api_keys, doc! { "key_hash": key_hash }).await
    }

    async fn revoke_api_key(&self, account: &AccountId, id: &ApiKeyId) -> Result<(), StoreError> {
        let filter = doc! { "_id": &id.0, "account": &account.0 };
        match self
            .collections
            .api_keys
            .delete_one(filter)
            .await
            .map_err(failed)?
            .deleted_count
        {
            0 => Err(StoreError::NotFound { what: "API key" }),
            _ => Ok(()),
        }
    }

    async fn touch_api_key(&self, id: &ApiKeyId, now_unix_ms: i64) -> Result<(), StoreError> {
        let change = doc! { "$set": { "last_used_unix_ms": now_unix_ms } };
        self.collections
            .api_keys
            .update_one(doc! { "_id": &id.0 }, change)
            .await
            .map_err(failed)?;
        Ok(())
    }

    async fn put_host(&self, host: HostRecord) -> Result<(), StoreError> {
        self.collections.put_host(&host).await
    }

    async fn hosts(&self, account: &AccountId) -> Result<Vec<HostRecord>, StoreError> {
        list(
            &self.collections.hosts,
            doc! { "account": &account.0 },
            doc! { "_id": 1 },
        )
        .await
    }

    async fn all_hosts(&self) -> Result<Vec<HostRecord>, StoreError> {
        list(&self.collections.hosts, doc! {}, doc! { "_id": 1 }).await
    }

    async fn host(&self, account: &AccountId, id: &HostId) -> Result<Option<HostRecord>, StoreError> {
        find(
            &self.collections.hosts,
            doc! { "_id": &id.0, "account": &account.0 },
        )
        .await
    }

    async fn delete_host(&self, account: &AccountId, id: &HostId) -> Result<(), StoreError> {
        self.collections.delete_host(account, id).await
    }

    async fn append(&self, batches: &[SampleBatch]) -> Result<(), StoreError> {
        let now = now_unix_ms();
        for batch in batches {
            self.collections.append(batch, &self.retention, now).await?;
        }
        Ok(())
    }

    async fn settled(&self, host: &HostId, epoch: &str) -> Result<SeqRanges, StoreError> {
        self.collections.settled(host, epoch).await
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
        let mut rows = self
            .collections
            .rows(host, series, resolution, from_unix_ms, to_unix_ms)
            .await?;
        rows.truncate(limit);
        Ok(rows)
    }

    async fn series_names(
        &self,
        host: &HostId,
        from_unix_ms: i64,
        to_unix_ms: i64,
    ) -> Result<Vec<String>, StoreError> {
        let mut names = BTreeSet::new();
        for sample in self
            .collections
            .samples_between(host, from_unix_ms, to_unix_ms)
            .await?
        {
            visit_readings(&sample, |name, _, _| {
                if !names.contains(name) {
                    names.insert(name.to_owned());
                }
            });
        }
        let raw_from = self.collections.kept_from(Resolution::Second).await?;
        let rolled = self
            .collections
            .stored(host, Resolution::Hour, from_unix_ms, to_unix_ms.min(raw_from))
            .await?;
        names.extend(
            rolled
                .steps
                .into_values()
                .flat_map(|step| step.series.into_keys()),
        );
        Ok(names.into_iter().collect())
    }

    async fn dropped(
        &self,
        host: &HostId,
        from_unix_ms: i64,
        to_unix_ms: i64,
    ) -> Result<Vec<DroppedRecord>, StoreError> {
        let filter = doc! {
            "host": &host.0,
            "from_unix_ms": { "$lt": to_unix_ms },
            "to_unix_ms": { "$gte": from_unix_ms },
        };
        list(&self.collections.dropped, filter, doc! { "from_unix_ms": 1 }).await
    }

    async fn kept_from(&self, resolution: Resolution) -> Result<i64, StoreError> {
        self.collections.kept_from(resolution).await
    }

    async fn maintain(&self, now_unix_ms: i64) -> Result<(), StoreError> {
        self.remove_expired_sessions(now_unix_ms).await?;
        self.collections.maintain(&self.retention, now_unix_ms).await
    }

    async fn check(&self) -> Result<(), StoreError> {
        let ping = doc! { "ping": 1 };
        self.collections
            .client
            .database("admin")
            .run_command(ping)
            .await
            .map_err(failed)?;
        Ok(())
    }
}
