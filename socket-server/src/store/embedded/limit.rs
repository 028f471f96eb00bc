//! The limit of bytes: over it, the oldest of the finest resolution goes first.

use std::{
    thread,
    time::{Duration, Instant},
};

use fjall::Keyspace;

use super::{
    maintain::{Removed, drop_before, oldest, rolled},
    store::EmbeddedStore,
    tables::Tables,
};
use crate::store::{Resolution, StoreError, rollup::step_start};

/// The newest hours of samples are kept even over the limit of bytes: a store without the present is of no use.
const KEPT_ALWAYS_MS: i64 = 3_600_000;

/// Share of the limit that is left when something had to go, in percent: files are written anew to give space back,
/// and that must not be needed again a minute later.
const LEFT_PERCENT: u64 = 95;

/// Longest wait for rows in memory to reach a file, where their space can be given back.
const FLUSH_DEADLINE: Duration = Duration::from_secs(30);

/// How often that is looked at.
const FLUSH_LOOK: Duration = Duration::from_millis(10);

impl EmbeddedStore {
    /// Drops the oldest of the finest resolution until the store fits its limit. Only the dropping itself runs on
    /// the writer's thread; files are written anew beside it.
    pub(super) async fn keep_within(&self, bytes_max: u64, now_unix_ms: i64) -> Result<(), StoreError> {
        if self.disk_bytes().await? <= bytes_max {
            return Ok(());
        }
        // Rows that were packed leave garbage behind: it goes before anything that is worth keeping.
        self.read(|view| compact(&view.tables.raw)).await?;
        if self.disk_bytes().await? <= bytes_max {
            return Ok(());
        }
        let goal = bytes_max / 100 * LEFT_PERCENT;
        let newest = now_unix_ms.saturating_sub(KEPT_ALWAYS_MS);
        for resolution in [Resolution::Second, Resolution::Minute, Resolution::Hour] {
            loop {
                let excess = self.disk_bytes().await?.saturating_sub(goal);
                if excess == 0 {
                    return Ok(());
                }
                let removed = self.drop_oldest(resolution, excess, newest).await?;
                if removed.rows == 0 {
                    break;
                }
                self.read(move |view| compact(rolled(&view.tables, resolution).0))
                    .await?;
                let kept_from_unix_ms = self.read(move |view| view.watermark(resolution)).await?;
                tracing::warn!(
                    ?resolution,
                    rows = removed.rows,
                    bytes = removed.bytes,
                    kept_from_unix_ms,
                    bytes_max,
                    "the store was over its limit of bytes: the oldest rows were dropped"
                );
            }
        }
        let bytes = self.disk_bytes().await?;
        if bytes > bytes_max {
            tracing::warn!(
                bytes,
                bytes_max,
                "the store is over its limit of bytes, and nothing older than an hour is left to drop: raise the limit"
            );
        }
        Ok(())
    }

    async fn disk_bytes(&self) -> Result<u64, StoreError> {
        self.read(|view| Ok(view.tables.disk_bytes())).await
    }

    /// Drops the oldest rows of a resolution, one span of time after the other, until they were `excess` bytes.
    async fn drop_oldest(
        &self,
        resolution: Resolution,
        excess: u64,
        newest: i64,
    ) -> Result<Removed, StoreError> {
        let mut removed = Removed::default();
        while removed.bytes < excess {
            // A turn for each span, so that appends come in between.
            let turn = self
                .write(move |tables| drop_span(tables, resolution, newest))
                .await?;
            let Some(turn) = turn else { break };
            removed.rows += turn.rows;
            removed.bytes += turn.bytes;
        }
        Ok(removed)
    }
}

/// Drops the oldest span of a resolution; `None` when all that is left is to be kept.
fn drop_span(tables: &Tables, resolution: Resolution, newest: i64) -> Result<Option<Removed>, StoreError> {
    let (table, span) = rolled(tables, resolution);
    let Some(oldest) = oldest(tables, table)? else {
        return Ok(None);
    };
    let cutoff = step_start(oldest, span).saturating_add(span);
    if cutoff > newest {
        return Ok(None);
    }
    drop_before(tables, resolution, cutoff).map(Some)
}

/// Writes a table's files anew without what was removed from it.
fn compact(table: &Keyspace) -> Result<(), StoreError> {
    // What was removed is noted in memory first, and garbage is told by what stands in the files.
    if table.rotate_memtable()? {
        let began = Instant::now();
        while table.sealed_memtable_count() > 0 && began.elapsed() < FLUSH_DEADLINE {
            thread::sleep(FLUSH_LOOK);
        }
    }
    Ok(table.major_compact()?)
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a test fails by panicking")]
mod tests {
    use metric_flow_protocol::metrics::{Load, Sample};

    use super::*;
    use crate::store::{AccountId, HostId, SampleBatch, Store as _, retention::Retention};

    /// A full hour: 2026-11-21 12:00 UTC.
    const NOON: i64 = 1_795_262_400_000;
    const HOUR_MS: i64 = 3_600_000;

    /// A store with a sample every ten seconds of four hours, packed and in files.
    async fn four_hours(folder: &std::path::Path) -> (EmbeddedStore, HostId) {
        let store = EmbeddedStore::open(folder, Retention::default())
            .await
            .expect("opens");
        let host = HostId("one".to_owned());
        let sample = |seq: u64| Sample {
            seq,
            time_unix_ms: NOON + i64::try_from(seq).expect("small") * 10_000,
            load: Some(Load {
                // Values without a pattern, so that each bucket has a size worth counting.
                one_minute: f32::from_bits(0x3f00_0000 | ((seq as u32).wrapping_mul(2_654_435_761) >> 9)),
                ..Load::default()
            }),
            ..Sample::default()
        };
        let batch = SampleBatch {
            account: AccountId("ada".to_owned()),
            host: host.clone(),
            epoch: "epoch-1".to_owned(),
            samples: (0..1_440).map(sample).collect(),
            dropped: Vec::new(),
        };
        store.append(&[batch]).await.expect("appends");
        store.maintain(NOON + 5 * HOUR_MS).await.expect("packs");
        let flushed = store.read(|view| view.tables.of_hosts().into_iter().try_for_each(compact));
        flushed.await.expect("writes files");
        (store, host)
    }

    async fn seconds(store: &EmbeddedStore, host: &HostId) -> Vec<i64> {
        let series = ["load_one_minute".to_owned()];
        let rows = store.history(host, &series, Resolution::Second, 0, i64::MAX, 100_000);
        rows.await
            .expect("reads")
            .iter()
            .map(|row| row.time_unix_ms)
            .collect()
    }

    #[tokio::test]
    async fn a_limit_that_nothing_can_meet_leaves_the_newest_hour() {
        let folder = tempfile::tempdir().expect("makes a folder");
        let (store, host) = four_hours(folder.path()).await;
        let now = NOON + 4 * HOUR_MS;
        store.keep_within(1, now).await.expect("shrinks");
        let left = seconds(&store, &host).await;
        assert_eq!(left.first().copied(), Some(now - HOUR_MS));
        assert_eq!(left.len(), 360);
        // Again at once, as every minute: it ends, and drops nothing more.
        store.keep_within(1, now).await.expect("shrinks");
        assert_eq!(seconds(&store, &host).await, left);
    }
}
