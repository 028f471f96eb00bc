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
    Account, AccountId, AnswerRecord, DeployRecord, EventStore, HostId, HostRecord, Resolution, StoreError,
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
            let mut key = keys::at(&answer.host, answer.time_unix_ms);
            key.extend_from_slice(answer.kind.as_bytes());
            Ok(tables.answers.insert(key, to_json(&answer)?)?)
        })
        .await
    }

    async fn answers(
        &self,
        host: &HostId,
        kind: Option<&str>,
        from_unix_ms: i64,
        to_unix_ms: i64,
    ) -> Result<Vec<AnswerRecord>, StoreError> {
        let (range, kind) = (
            keys::between(host, from_unix_ms, to_unix_ms),
            kind.map(ToOwned::to_owned),
        );
        self.read(move |view| {
            let mut answers = Vec::new();
            for row in view.snapshot.range(&view.tables.answers, range) {
                let answer: AnswerRecord = from_json(&row.value()?)?;
                if kind.as_ref().is_none_or(|kind| answer.kind == *kind) {
                    answers.push(answer);
                }
            }
            Ok(answers)
        })
        .await
    }
}

/// Drops rollouts and answers past retention.
pub(super) fn expire(tables: &Tables, retention: &Retention, now_unix_ms: i64) -> Result<(), StoreError> {
    let mut write = tables.database.batch();
    let cutoff = retention.cutoff(Resolution::Hour, now_unix_ms);
    for account in records::<Account>(&tables.accounts)? {
        let old = keys::deploy_events_between(&account.id, i64::MIN, cutoff);
        for row in tables.deploy_events.range(old) {
            write.remove(&tables.deploy_events, row.key()?);
        }
    }
    let cutoff = retention.cutoff(Resolution::Second, now_unix_ms);
    for host in records::<HostRecord>(&tables.hosts)? {
        for row in tables.answers.range(keys::between(&host.id, i64::MIN, cutoff)) {
            write.remove(&tables.answers, row.key()?);
        }
    }
    Ok(write.commit()?)
}
