//! Samples on their way in.

use std::collections::BTreeSet;

use metric_flow_protocol::metrics::Sample;
use mongodb::bson::{DateTime, Document, doc};
use serde::{Deserialize, Serialize};

use super::{
    connect::{Collections, date, failed, is_duplicate},
    documents::to_document,
    history::BUCKET_MS,
    records::find,
};
use crate::store::{
    HostId, Resolution, SampleBatch, SeqRanges, StoreError, retention::Retention, rollup::step_start,
};

/// Samples in one message to the server.
const SAMPLES_AT_A_TIME: usize = 1_000;

/// How often a change of the settled ranges is tried before the store counts as unavailable.
const SETTLE_TRIES: usize = 100;

#[derive(Serialize, Deserialize)]
pub(super) struct Settled {
    ranges: Vec<(i64, i64)>,
    version: i64,
}

impl Collections {
    /// Samples go in first and count as settled after: a crash in between makes the host send them again, and
    /// the key of a sample keeps it single.
    pub(super) async fn append(
        &self,
        batch: &SampleBatch,
        retention: &Retention,
        now: i64,
    ) -> Result<(), StoreError> {
        let known = self.settled(&batch.host, &batch.epoch).await?;
        let fresh: Vec<&Sample> = batch
            .samples
            .iter()
            .filter(|sample| !known.contains(sample.seq))
            .collect();
        let buckets: BTreeSet<i64> = fresh
            .iter()
            .map(|sample| step_start(sample.time_unix_ms, BUCKET_MS))
            .collect();
        for bucket in buckets {
            let filter = doc! { "_id": format!("{}/{bucket}", batch.host) };
            let change =
                doc! { "$inc": { "mark": 1_i64 }, "$set": { "host": &batch.host.0, "bucket": bucket } };
            self.pending
                .update_one(filter, change)
                .upsert(true)
                .await
                .map_err(failed)?;
        }
        for samples in fresh.chunks(SAMPLES_AT_A_TIME) {
            let mut documents = Vec::with_capacity(samples.len());
            for sample in samples {
                documents.push(sample_document(batch, sample, retention, now)?);
            }
            match self.samples.insert_many(documents).ordered(false).await {
                Err(error) if !is_duplicate(&error) => return Err(failed(error)),
                _ => {}
            }
        }
        for dropped in &batch.dropped {
            let id = format!("{}/{}/{}", batch.host, batch.epoch, dropped.first_seq);
            let mut document = to_document(dropped)?;
            document.insert("host", &batch.host.0);
            document.insert(
                "expires",
                expires(dropped.to_unix_ms, Resolution::Hour, retention, now),
            );
            document.insert("_id", &id);
            self.dropped
                .replace_one(doc! { "_id": id }, document)
                .upsert(true)
                .await
                .map_err(failed)?;
        }
        let mut fresh = SeqRanges::default();
        for sample in &batch.samples {
            fresh.insert(sample.seq, sample.seq);
        }
        for dropped in &batch.dropped {
            fresh.insert(dropped.first_seq, dropped.last_seq);
        }
        self.settle(&batch.host, &batch.epoch, &fresh).await
    }

    pub(super) async fn settled(&self, host: &HostId, epoch: &str) -> Result<SeqRanges, StoreError> {
        let id = format!("{host}/{epoch}");
        let found: Option<Settled> = find(&self.settled, doc! { "_id": id }).await?;
        Ok(found.map_or_else(SeqRanges::default, |settled| ranges_of(&settled)))
    }

    /// Adds to the settled ranges; tries again when another writer was first.
    pub(super) async fn settle(
        &self,
        host: &HostId,
        epoch: &str,
        fresh: &SeqRanges,
    ) -> Result<(), StoreError> {
        let id = format!("{host}/{epoch}");
        for _ in 0..SETTLE_TRIES {
            let found: Option<Settled> = find(&self.settled, doc! { "_id": &id }).await?;
            let version = found.as_ref().map_or(0, |settled| settled.version);
            let mut ranges = found.as_ref().map_or_else(SeqRanges::default, ranges_of);
            for (first, last) in fresh.iter() {
                ranges.insert(first, last);
            }
            let ranges: Vec<(i64, i64)> = ranges
                .iter()
                .map(|(first, last)| (first as i64, last as i64))
                .collect();
            let settled = Settled {
                ranges,
                version: version + 1,
            };
            let mut document = to_document(&settled)?;
            document.insert("_id", &id);
            document.insert("host", &host.0);
            let done = if found.is_some() {
                let filter = doc! { "_id": &id, "version": version };
                self.settled
                    .replace_one(filter, document)
                    .await
                    .map(|result| result.matched_count == 1)
            } else {
                self.settled.insert_one(document).await.map(|_| true)
            };
            match done {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                Err(error) if is_duplicate(&error) => {}
                Err(error) => return Err(failed(error)),
            }
        }
        Err(StoreError::Unavailable {
            reason: format!("too many writers change {id} at the same time"),
        })
    }
}

pub(super) fn ranges_of(settled: &Settled) -> SeqRanges {
    settled
        .ranges
        .iter()
        .map(|&(first, last)| (first as u64, last as u64))
        .collect()
}

fn sample_document(
    batch: &SampleBatch,
    sample: &Sample,
    retention: &Retention,
    now: i64,
) -> Result<Document, StoreError> {
    let expires = expires(sample.time_unix_ms, Resolution::Second, retention, now);
    Ok(doc! {
        "_id": format!("{}/{}/{}", batch.host, batch.epoch, sample.seq),
        "account": &batch.account.0,
        "host": &batch.host.0,
        "epoch": &batch.epoch,
        "seq": sample.seq as i64,
        "time": date(sample.time_unix_ms),
        "expires": expires,
        "sample": to_document(sample)?,
    })
}

/// When a document of that time goes. A host whose clock is behind keeps its past as long as others.
pub(super) fn expires(time: i64, resolution: Resolution, retention: &Retention, now: i64) -> DateTime {
    let kept = now.saturating_sub(retention.cutoff(resolution, now));
    date(time.max(now).saturating_add(kept))
}
