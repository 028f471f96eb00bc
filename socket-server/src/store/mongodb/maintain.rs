//! Rolling up what is complete. TTL indexes drop what is past retention.

use mongodb::bson::{DateTime, Document, doc};
use serde::{Deserialize, Serialize};

use super::{
    append::expires,
    connect::{Collections, date, failed},
    documents::to_document,
    history::{BUCKET_MS, PendingDocument, RollupDocument, SeriesDocument, name_of},
    records::{find, list},
};
use crate::store::{
    HostId, Resolution, StoreError,
    retention::Retention,
    rollup::{Rollup, RollupStep, step_start},
};

/// How long after its end a bucket is rolled up: most late samples are there by then.
const ROLL_UP_DELAY_MS: i64 = 60_000;

const HOUR_MS: i64 = Resolution::Hour.step_ms();

#[derive(Serialize, Deserialize)]
struct KeptFrom {
    time: DateTime,
}

impl Collections {
    pub(super) async fn maintain(&self, retention: &Retention, now: i64) -> Result<(), StoreError> {
        let last = now.saturating_sub(BUCKET_MS + ROLL_UP_DELAY_MS);
        let ready: Vec<PendingDocument> = list(
            &self.pending,
            doc! { "bucket": { "$lte": last } },
            doc! { "bucket": 1 },
        )
        .await?;
        for pending in ready {
            let host = HostId(pending.host.clone());
            self.roll_up(&host, pending.bucket, retention, now).await?;
            // Samples that came meanwhile have changed the mark, and the bucket stays.
            let id = format!("{host}/{}", pending.bucket);
            self.pending
                .delete_one(doc! { "_id": id, "mark": pending.mark })
                .await
                .map_err(failed)?;
        }
        for resolution in [Resolution::Second, Resolution::Minute, Resolution::Hour] {
            let cutoff = step_start(retention.cutoff(resolution, now), 6 * BUCKET_MS);
            self.raise_kept_from(resolution, cutoff).await?;
        }
        Ok(())
    }

    pub(super) async fn raise_kept_from(&self, resolution: Resolution, time: i64) -> Result<(), StoreError> {
        let change = doc! { "$max": { "time": date(time) } };
        let filter = doc! { "_id": format!("kept_from_{}", name_of(resolution)) };
        self.meta
            .update_one(filter, change)
            .upsert(true)
            .await
            .map_err(failed)?;
        Ok(())
    }

    pub(super) async fn kept_from(&self, resolution: Resolution) -> Result<i64, StoreError> {
        let id = format!("kept_from_{}", name_of(resolution));
        let found: Option<KeptFrom> = find(&self.meta, doc! { "_id": id }).await?;
        Ok(found.map_or(i64::MIN, |kept| kept.time.timestamp_millis()))
    }

    async fn roll_up(
        &self,
        host: &HostId,
        bucket: i64,
        retention: &Retention,
        now: i64,
    ) -> Result<(), StoreError> {
        let end = bucket.saturating_add(BUCKET_MS);
        let fresh = self.minutes_from_samples(host, bucket).await?;
        if bucket >= self.kept_from(Resolution::Second).await? {
            self.put(host, Resolution::Minute, &fresh, retention, now).await?;
            // The first rates of the next bucket come from the end of this one.
            let next = self.minutes_from_samples(host, end).await?;
            self.put(host, Resolution::Minute, &next, retention, now).await?;
            self.put_hour(host, bucket, retention, now).await?;
            return self.put_hour(host, end, retention, now).await;
        }
        let mut minutes = self.stored(host, Resolution::Minute, bucket, end).await?;
        minutes.merge(fresh.clone());
        self.put(host, Resolution::Minute, &minutes, retention, now)
            .await?;
        let hour = step_start(bucket, HOUR_MS);
        let mut hours = self
            .stored(host, Resolution::Hour, hour, hour.saturating_add(HOUR_MS))
            .await?;
        hours.merge(fresh.coarsened(Resolution::Hour));
        self.put(host, Resolution::Hour, &hours, retention, now).await?;
        // What was added must not be added again.
        let window = doc! { "$gte": date(bucket), "$lt": date(end) };
        self.samples
            .delete_many(doc! { "host": &host.0, "time": window })
            .await
            .map_err(failed)?;
        Ok(())
    }

    async fn put_hour(
        &self,
        host: &HostId,
        within: i64,
        retention: &Retention,
        now: i64,
    ) -> Result<(), StoreError> {
        let hour = step_start(within, HOUR_MS);
        let minutes = self
            .stored(host, Resolution::Minute, hour, hour.saturating_add(HOUR_MS))
            .await?;
        self.put(
            host,
            Resolution::Hour,
            &minutes.coarsened(Resolution::Hour),
            retention,
            now,
        )
        .await
    }

    async fn put(
        &self,
        host: &HostId,
        resolution: Resolution,
        rollup: &Rollup,
        retention: &Retention,
        now: i64,
    ) -> Result<(), StoreError> {
        for document in rollup_documents(host, resolution, rollup, retention, now)? {
            let filter = doc! { "_id": document.get("_id") };
            self.rollups
                .replace_one(filter, document)
                .upsert(true)
                .await
                .map_err(failed)?;
        }
        Ok(())
    }
}

/// One document for each step.
pub(super) fn rollup_documents(
    host: &HostId,
    resolution: Resolution,
    rollup: &Rollup,
    retention: &Retention,
    now: i64,
) -> Result<Vec<Document>, StoreError> {
    let document = |(&time, step): (&i64, &RollupStep)| {
        let series = step.series.iter().map(|(name, value)| SeriesDocument {
            name: name.clone(),
            value: *value,
        });
        let document = RollupDocument {
            time: date(time),
            samples: step.samples,
            series: series.collect(),
        };
        let mut document = to_document(&document)?;
        document.insert("_id", format!("{host}/{}/{time}", name_of(resolution)));
        document.insert("host", &host.0);
        document.insert("resolution", name_of(resolution));
        document.insert("expires", expires(time, resolution, retention, now));
        Ok(document)
    };
    rollup.steps.iter().map(document).collect()
}
