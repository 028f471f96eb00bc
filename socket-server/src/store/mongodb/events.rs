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
    connect::{date, failed, unreadable},
    documents::to_document,
    records::list,
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
        let document = doc! {
            "_id": format!("{}/{}/{}", answer.host, answer.time_unix_ms, answer.kind),
            "account": &answer.account.0,
            "host": &answer.host.0,
            "kind": &answer.kind,
            "time": date(answer.time_unix_ms),
            "expires": self.expires(Resolution::Second, answer.time_unix_ms),
            "answer": to_document(&answer)?,
        };
        put(&self.collections.answers, document).await
    }

    async fn answers(
        &self,
        host: &HostId,
        kind: Option<&str>,
        from_unix_ms: i64,
        to_unix_ms: i64,
    ) -> Result<Vec<AnswerRecord>, StoreError> {
        let window = doc! { "$gte": date(from_unix_ms), "$lt": date(to_unix_ms) };
        let mut filter = doc! { "host": &host.0, "time": window };
        if let Some(kind) = kind {
            filter.insert("kind", kind);
        }
        let order = doc! { "time": 1, "_id": 1 };
        let found: Vec<AnswerDocument> = list(&self.collections.answers, filter, order).await?;
        Ok(found.into_iter().map(|document| document.answer).collect())
    }
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
