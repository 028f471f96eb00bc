//! Rollouts and answers as documents.

use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use mongodb::{
    Collection,
    bson::{DateTime, Document, deserialize_from_document, doc},
};
use serde::Deserialize;

use super::{
    append::expires,
    connect::{date, failed, is_duplicate, unreadable},
    documents::to_document,
    records::{find, list},
    store::MongoStore,
};
use crate::{
    clock::now_unix_ms,
    store::{AccountId, AnswerRecord, DeployRecord, EventStore, HostId, Resolution, StoreError},
};

#[derive(Deserialize)]
struct AnswerDocument {
    answer: AnswerRecord,
}

#[async_trait]
impl EventStore for MongoStore {
    async fn put_deploy_event(&self, event: DeployRecord) -> Result<(), StoreError> {
        let started = event.event.started_unix_ms;
        let mut document = to_document(&event)?;
        document.insert("_id", event.key());
        document.insert("time", date(started));
        document.insert("expires", self.expires(Resolution::Hour, started));
        put(&self.collections.deploy_events, document).await
    }

    async fn deploy_events(
        &self,
        account: &AccountId,
        from_unix_ms: i64,
        to_unix_ms: i64,
        limit: usize,
    ) -> Result<Vec<DeployRecord>, StoreError> {
        let window = doc! { "$gte": date(from_unix_ms), "$lt": date(to_unix_ms) };
        let found = self
            .collections
            .deploy_events
            .find(doc! { "account": &account.0, "time": window })
            .sort(doc! { "time": -1, "_id": -1 })
            .limit(i64::try_from(limit).unwrap_or(0));
        let mut newest: Vec<Document> = found.await.map_err(failed)?.try_collect().await.map_err(failed)?;
        newest.reverse();
        let read = |document| deserialize_from_document(document).map_err(unreadable);
        newest.into_iter().map(read).collect()
    }

    async fn put_answer(&self, answer: AnswerRecord) -> Result<(), StoreError> {
        let id = answer_id(&answer.host, &answer.kind);
        let document = doc! {
            "_id": &id,
            "account": &answer.account.0,
            "host": &answer.host.0,
            "kind": &answer.kind,
            "time": date(answer.time_unix_ms),
            "answer": to_document(&answer)?,
        };
        // A newer one does not match; then the key is there already, and that is that.
        let not_newer = doc! { "_id": id, "time": { "$lte": date(answer.time_unix_ms) } };
        let put = self.collections.answers.replace_one(not_newer, document);
        match put.upsert(true).await {
            Err(error) if !is_duplicate(&error) => Err(failed(error)),
            _ => Ok(()),
        }
    }

    async fn answer(&self, host: &HostId, kind: &str) -> Result<Option<AnswerRecord>, StoreError> {
        let filter = doc! { "_id": answer_id(host, kind) };
        let found: Option<AnswerDocument> = find(&self.collections.answers, filter).await?;
        Ok(found.map(|document| document.answer))
    }

    async fn answers(&self, host: &HostId) -> Result<Vec<AnswerRecord>, StoreError> {
        let found = list(
            &self.collections.answers,
            doc! { "host": &host.0 },
            doc! { "kind": 1 },
        );
        let found: Vec<AnswerDocument> = found.await?;
        Ok(found.into_iter().map(|document| document.answer).collect())
    }
}

fn answer_id(host: &HostId, kind: &str) -> String {
    format!("{host}/{kind}")
}

impl MongoStore {
    fn expires(&self, resolution: Resolution, time_unix_ms: i64) -> DateTime {
        expires(time_unix_ms, resolution, &self.retention, now_unix_ms())
    }
}

async fn put(collection: &Collection<Document>, document: Document) -> Result<(), StoreError> {
    let filter = doc! { "_id": document.get("_id") };
    collection
        .replace_one(filter, document)
        .upsert(true)
        .await
        .map_err(failed)?;
    Ok(())
}
