//! Moving into and out of a MongoDB.

use std::collections::BTreeMap;

use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use metric_flow_protocol::metrics::Sample;
use mongodb::{
    Collection,
    bson::{Document, deserialize_from_document, doc},
};
use serde::Deserialize;

use super::{
    append::{Settled, ranges_of},
    connect::{date, failed, is_duplicate, unreadable},
    history::{name_of, numbered},
    maintain::rollup_documents,
    records::list,
    store::MongoStore,
};
use crate::{
    clock::now_unix_ms,
    store::{
        Account, DroppedRecord, HostId, NumberedSample, Resolution, SAMPLE_WINDOW_MS, SeqRanges, StoreError,
        TransferStore,
        rollup::{Rollup, step_start},
    },
};

#[derive(Deserialize)]
struct NumberedDocument {
    epoch: String,
    seq: i64,
    sample: Sample,
}

/// A document whose id tells more than its fields.
#[derive(Deserialize)]
struct Identified<T> {
    #[serde(rename = "_id")]
    id: String,
    #[serde(flatten)]
    fields: T,
}

#[async_trait]
impl TransferStore for MongoStore {
    async fn accounts(&self) -> Result<Vec<Account>, StoreError> {
        list(&self.collections.users, doc! {}, doc! { "_id": 1 }).await
    }

    async fn epochs(&self, host: &HostId) -> Result<BTreeMap<String, SeqRanges>, StoreError> {
        let filter = doc! { "host": &host.0 };
        let found: Vec<Identified<Settled>> =
            list(&self.collections.settled, filter, doc! { "_id": 1 }).await?;
        let epoch_of = |settled: Identified<Settled>| {
            let epoch = after_host(host, &settled.id)?.to_owned();
            Ok((epoch, ranges_of(&settled.fields)))
        };
        found.into_iter().map(epoch_of).collect()
    }

    async fn next_window(&self, host: &HostId, from_unix_ms: i64) -> Result<Option<i64>, StoreError> {
        let from = step_start(from_unix_ms, SAMPLE_WINDOW_MS);
        let filter = doc! { "host": &host.0, "time": { "$gte": date(from) } };
        let first = first_time(&self.collections.samples, filter).await?;
        Ok(first.map(|time| step_start(time, SAMPLE_WINDOW_MS)))
    }

    async fn samples(
        &self,
        host: &HostId,
        from_unix_ms: i64,
        to_unix_ms: i64,
    ) -> Result<Vec<NumberedSample>, StoreError> {
        let window = doc! { "$gte": date(from_unix_ms), "$lt": date(to_unix_ms) };
        let filter = doc! { "host": &host.0, "time": window };
        let order = doc! { "time": 1, "seq": 1 };
        let found: Vec<NumberedDocument> = list(&self.collections.samples, filter, order).await?;
        let numbered = |document: NumberedDocument| NumberedSample {
            epoch: document.epoch,
            sample: numbered(document.sample, document.seq),
        };
        Ok(found.into_iter().map(numbered).collect())
    }

    async fn dropped_by_epoch(&self, host: &HostId) -> Result<Vec<(String, DroppedRecord)>, StoreError> {
        let found = self.collections.dropped.find(doc! { "host": &host.0 });
        let found = found.sort(doc! { "from_unix_ms": 1, "_id": 1 });
        let documents: Vec<Document> = found.await.map_err(failed)?.try_collect().await.map_err(failed)?;
        let mut dropped = Vec::with_capacity(documents.len());
        for document in documents {
            let id = document.get_str("_id").map_err(unreadable)?;
            let (epoch, _) = after_host(host, id)?
                .rsplit_once('/')
                .ok_or_else(|| unreadable(format!("the id {id} names no epoch")))?;
            let epoch = epoch.to_owned();
            dropped.push((epoch, deserialize_from_document(document).map_err(unreadable)?));
        }
        Ok(dropped)
    }

    async fn next_rollup(
        &self,
        host: &HostId,
        resolution: Resolution,
        from_unix_ms: i64,
    ) -> Result<Option<i64>, StoreError> {
        let window = doc! { "$gte": date(from_unix_ms) };
        let filter = doc! { "host": &host.0, "resolution": name_of(resolution), "time": window };
        let stored = first_time(&self.collections.rollups, filter).await?;
        // Samples that are not rolled up yet have no roll-up, but have a part in one.
        let from = step_start(from_unix_ms, resolution.step_ms().max(SAMPLE_WINDOW_MS));
        let pending = self
            .collections
            .pending
            .find_one(doc! { "host": &host.0, "bucket": { "$gte": from } })
            .sort(doc! { "bucket": 1 })
            .await
            .map_err(failed)?;
        let pending = pending
            .map(|document| document.get_i64("bucket").map_err(unreadable))
            .transpose()?;
        Ok(stored.into_iter().chain(pending).min())
    }

    async fn rollups(
        &self,
        host: &HostId,
        resolution: Resolution,
        from_unix_ms: i64,
        to_unix_ms: i64,
    ) -> Result<Rollup, StoreError> {
        let rollup = match resolution {
            Resolution::Second => Rollup::default(),
            Resolution::Minute => self.collections.minutes(host, from_unix_ms, to_unix_ms).await?,
            Resolution::Hour => self.collections.hours(host, from_unix_ms, to_unix_ms).await?,
        };
        Ok(rollup.within(from_unix_ms, to_unix_ms))
    }

    async fn settle(&self, host: &HostId, epoch: &str, ranges: &SeqRanges) -> Result<(), StoreError> {
        self.collections.settle(host, epoch, ranges).await
    }

    async fn add_rollups(
        &self,
        host: &HostId,
        resolution: Resolution,
        rollup: &Rollup,
    ) -> Result<u64, StoreError> {
        let documents = rollup_documents(host, resolution, rollup, &self.retention, now_unix_ms())?;
        let mut added = 0;
        for document in documents {
            match self.collections.rollups.insert_one(document).await {
                Ok(_) => added += 1,
                Err(error) if is_duplicate(&error) => {}
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(added)
    }

    async fn raise_kept_from(&self, resolution: Resolution, time_unix_ms: i64) -> Result<(), StoreError> {
        self.collections.raise_kept_from(resolution, time_unix_ms).await
    }
}

/// What follows the host in the id of a document.
fn after_host<'a>(host: &HostId, id: &'a str) -> Result<&'a str, StoreError> {
    id.strip_prefix(host.0.as_str())
        .and_then(|rest| rest.strip_prefix('/'))
        .ok_or_else(|| unreadable(format!("the id {id} does not start with its host")))
}

/// The earliest time among the documents of a filter.
async fn first_time(collection: &Collection<Document>, filter: Document) -> Result<Option<i64>, StoreError> {
    let found = collection
        .find_one(filter)
        .sort(doc! { "time": 1 })
        .projection(doc! { "time": 1 })
        .await
        .map_err(failed)?;
    let time = |document: Document| document.get_datetime("time").map(|time| time.timestamp_millis());
    found
        .map(|document| time(document).map_err(unreadable))
        .transpose()
}
