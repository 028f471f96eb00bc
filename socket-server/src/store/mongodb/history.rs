//! The past of a host: stored roll-ups, and samples where roll-ups are not made or outdated.

use std::collections::BTreeSet;

use futures_util::TryStreamExt as _;
use metric_flow_protocol::metrics::Sample;
use mongodb::bson::{DateTime, Document, deserialize_from_document, doc};
use serde::{Deserialize, Serialize};

use super::connect::{Collections, date, failed, unreadable};
use crate::store::{
    HistoryRow, HostId, Resolution, SeriesAggregate, StoreError,
    rollup::{LOOK_BACK_MS, Rollup, RollupStep, step_start},
};

/// What is rolled up in one go.
pub(super) const BUCKET_MS: i64 = 600_000;

const HOUR_MS: i64 = Resolution::Hour.step_ms();

#[derive(Serialize, Deserialize)]
struct SampleDocument {
    seq: i64,
    sample: Sample,
}

#[derive(Serialize, Deserialize)]
pub(super) struct RollupDocument {
    pub(super) time: DateTime,
    pub(super) samples: u32,
    pub(super) series: Vec<SeriesDocument>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct SeriesDocument {
    pub(super) name: String,
    #[serde(flatten)]
    pub(super) value: SeriesAggregate,
}

#[derive(Deserialize)]
pub(super) struct PendingDocument {
    pub(super) host: String,
    pub(super) bucket: i64,
    pub(super) mark: i64,
}

/// A sample with its number as its document's id has it: all 64 bits of it, where a sample in BSON has 63.
pub(super) fn numbered(mut sample: Sample, seq: i64) -> Sample {
    sample.seq = seq as u64;
    sample
}

impl Collections {
    pub(super) async fn samples_between(
        &self,
        host: &HostId,
        from: i64,
        to: i64,
    ) -> Result<Vec<Sample>, StoreError> {
        let window = doc! { "$gte": date(from), "$lt": date(to) };
        let found = self.samples.find(doc! { "host": &host.0, "time": window });
        let found = found
            .sort(doc! { "time": 1, "seq": 1 })
            .projection(doc! { "seq": 1, "sample": 1 });
        let documents: Vec<Document> = found.await.map_err(failed)?.try_collect().await.map_err(failed)?;
        let read = |document| {
            let found: SampleDocument = deserialize_from_document(document).map_err(unreadable)?;
            Ok(numbered(found.sample, found.seq))
        };
        documents.into_iter().map(read).collect()
    }

    pub(super) async fn rows(
        &self,
        host: &HostId,
        series: &[String],
        resolution: Resolution,
        from: i64,
        to: i64,
    ) -> Result<Vec<HistoryRow>, StoreError> {
        let rollup = match resolution {
            Resolution::Second => {
                let samples = self
                    .samples_between(host, from.saturating_sub(LOOK_BACK_MS), to)
                    .await?;
                Rollup::of_samples(&samples, resolution, from)
            }
            Resolution::Minute => self.minutes(host, from, to).await?,
            Resolution::Hour => self.hours(host, from, to).await?,
        };
        Ok(rollup.rows(series, from, to))
    }

    pub(super) async fn minutes(&self, host: &HostId, from: i64, to: i64) -> Result<Rollup, StoreError> {
        let kept_from = self.kept_from(Resolution::Second).await?;
        let pending = self
            .pending_between(host, from.saturating_sub(2 * BUCKET_MS), to)
            .await?;
        let next = pending.iter().map(|bucket| bucket.saturating_add(BUCKET_MS));
        let outdated: BTreeSet<i64> = pending.iter().copied().chain(next).collect();
        let mut rollup = self.stored(host, Resolution::Minute, from, to).await?;
        rollup.steps.retain(|time, _| {
            let bucket = step_start(*time, BUCKET_MS);
            !outdated.contains(&bucket) || bucket < kept_from
        });
        for bucket in outdated {
            let touches = bucket < to && bucket.saturating_add(BUCKET_MS) > from;
            if touches && (bucket >= kept_from || pending.contains(&bucket)) {
                rollup.merge(self.minutes_from_samples(host, bucket).await?);
            }
        }
        Ok(rollup)
    }

    pub(super) async fn minutes_from_samples(
        &self,
        host: &HostId,
        bucket: i64,
    ) -> Result<Rollup, StoreError> {
        let begin = bucket.saturating_sub(LOOK_BACK_MS);
        let samples = self
            .samples_between(host, begin, bucket.saturating_add(BUCKET_MS))
            .await?;
        Ok(Rollup::of_samples(&samples, Resolution::Minute, bucket))
    }

    pub(super) async fn hours(&self, host: &HostId, from: i64, to: i64) -> Result<Rollup, StoreError> {
        let minutes_from = self.kept_from(Resolution::Minute).await?;
        let begin = step_start(from, HOUR_MS);
        let pending = self
            .pending_between(host, begin.saturating_sub(2 * BUCKET_MS), to)
            .await?;
        let both = pending
            .iter()
            .flat_map(|bucket| [*bucket, bucket.saturating_add(BUCKET_MS)]);
        let outdated: BTreeSet<i64> = both.map(|bucket| step_start(bucket, HOUR_MS)).collect();
        let mut rollup = self.stored(host, Resolution::Hour, begin, to).await?;
        rollup
            .steps
            .retain(|hour, _| !outdated.contains(hour) || *hour < minutes_from);
        for hour in outdated {
            if hour >= minutes_from {
                let minutes = self.minutes(host, hour, hour.saturating_add(HOUR_MS)).await?;
                rollup.merge(minutes.coarsened(Resolution::Hour));
            } else {
                for bucket in pending
                    .iter()
                    .filter(|bucket| step_start(**bucket, HOUR_MS) == hour)
                {
                    let minutes = self.minutes_from_samples(host, *bucket).await?;
                    rollup.merge(minutes.coarsened(Resolution::Hour));
                }
            }
        }
        Ok(rollup)
    }

    /// Stored roll-ups of a window.
    pub(super) async fn stored(
        &self,
        host: &HostId,
        resolution: Resolution,
        from: i64,
        to: i64,
    ) -> Result<Rollup, StoreError> {
        let window = doc! { "$gte": date(from), "$lt": date(to) };
        let filter = doc! { "host": &host.0, "resolution": name_of(resolution), "time": window };
        let documents: Vec<RollupDocument> =
            super::records::list(&self.rollups, filter, doc! { "time": 1 }).await?;
        let mut rollup = Rollup::default();
        for document in documents {
            let series = document
                .series
                .into_iter()
                .map(|series| (series.name, series.value))
                .collect();
            let step = RollupStep {
                samples: document.samples,
                series,
            };
            rollup.steps.insert(document.time.timestamp_millis(), step);
        }
        Ok(rollup)
    }

    async fn pending_between(&self, host: &HostId, from: i64, to: i64) -> Result<BTreeSet<i64>, StoreError> {
        let filter = doc! { "host": &host.0, "bucket": { "$gte": from, "$lt": to } };
        let found: Vec<PendingDocument> =
            super::records::list(&self.pending, filter, doc! { "bucket": 1 }).await?;
        Ok(found.into_iter().map(|pending| pending.bucket).collect())
    }
}

pub(super) const fn name_of(resolution: Resolution) -> &'static str {
    match resolution {
        Resolution::Second => "second",
        Resolution::Minute => "minute",
        Resolution::Hour => "hour",
    }
}
