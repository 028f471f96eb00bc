//! Rollouts and answers.

use async_trait::async_trait;
use fjall::Readable as _;

use super::{
    accounts::records,
    keys,
    store::EmbeddedStore,
    tables::Tables,
    view::{from_json, to_json},
};
use crate::store::{
    Account, AccountId, AnswerRecord, DeployRecord, EventStore, HostId, Resolution, StoreError,
    retention::Retention,
};

#[async_trait]
impl EventStore for EmbeddedStore {
    async fn put_deploy_event(&self, event: DeployRecord) -> Result<(), StoreError> {
        self.write(move |tables| {
            let key = keys::deploy_event(&event.account, event.event.started_unix_ms, &event.key());
            Ok(tables.deploy_events.insert(key, to_json(&event)?)?)
        })
        .await
    }

    async fn deploy_events(
        &self,
        account: &AccountId,
        from_unix_ms: i64,
        to_unix_ms: i64,
        limit: usize,
    ) -> Result<Vec<DeployRecord>, StoreError> {
        let range = keys::deploy_events_between(account, from_unix_ms, to_unix_ms);
        self.read(move |view| {
            let found = view.snapshot.range(&view.tables.deploy_events, range);
            let newest = found.rev().take(limit).map(|row| from_json(&row.value()?));
            let mut newest = newest.collect::<Result<Vec<_>, StoreError>>()?;
            newest.reverse();
            Ok(newest)
        })
        .await
    }

    async fn put_answer(&self, answer: AnswerRecord) -> Result<(), StoreError> {
        self.write(move |tables| {
            let key = keys::named(&answer.host, &answer.kind);
            let known: Option<AnswerRecord> = match tables.answers.get(&key)? {
                Some(bytes) => Some(from_json(&bytes)?),
                None => None,
            };
            if known.is_some_and(|known| known.time_unix_ms > answer.time_unix_ms) {
                return Ok(());
            }
            Ok(tables.answers.insert(key, to_json(&answer)?)?)
        })
        .await
    }

    async fn answer(&self, host: &HostId, kind: &str) -> Result<Option<AnswerRecord>, StoreError> {
        let key = keys::named(host, kind);
        self.read(move |view| {
            let found = view.snapshot.get(&view.tables.answers, key)?;
            found.map(|bytes| from_json(&bytes)).transpose()
        })
        .await
    }

    async fn answers(&self, host: &HostId) -> Result<Vec<AnswerRecord>, StoreError> {
        let prefix = keys::host_prefix(host);
        self.read(move |view| {
            let found = view.snapshot.prefix(&view.tables.answers, prefix);
            found.map(|row| from_json(&row.value()?)).collect()
        })
        .await
    }
}

/// Drops rollouts past retention.
pub(super) fn expire(tables: &Tables, retention: &Retention, now_unix_ms: i64) -> Result<(), StoreError> {
    let mut write = tables.database.batch();
    let cutoff = retention.cutoff(Resolution::Hour, now_unix_ms);
    for account in records::<Account>(&tables.accounts)? {
        let old = keys::deploy_events_between(&account.id, i64::MIN, cutoff);
        for row in tables.deploy_events.range(old) {
            write.remove(&tables.deploy_events, row.key()?);
        }
    }
    Ok(write.commit()?)
}
