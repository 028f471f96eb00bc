//! Moving into and out of a folder.

use std::{collections::BTreeMap, path::Path};

use async_trait::async_trait;
use fjall::{Keyspace, Readable as _};
use tokio_util::sync::CancellationToken;

use super::{
    accounts::records,
    append::settle,
    bytes::damaged,
    duplicate::duplicate,
    keys, maintain,
    pack::{BUCKET_MS, DAY_MS},
    rollup_chunk,
    store::EmbeddedStore,
    tables::Tables,
    view::{View, from_json, read_ranges},
};
use crate::store::{
    Account, DroppedRecord, HostId, NumberedSample, Resolution, SeqRanges, StoreError, TransferStore,
    rollup::{Rollup, step_start},
};

#[async_trait]
impl TransferStore for EmbeddedStore {
    async fn accounts(&self) -> Result<Vec<Account>, StoreError> {
        self.read(|view| records(&view.tables.accounts)).await
    }

    async fn epochs(&self, host: &HostId) -> Result<BTreeMap<String, SeqRanges>, StoreError> {
        let host = host.clone();
        self.read(move |view| {
            let mut epochs = BTreeMap::new();
            for row in view
                .snapshot
                .prefix(&view.tables.settled, keys::host_prefix(&host))
            {
                let (key, value) = row.into_inner()?;
                epochs.insert(epoch(keys::name_of(&host, &key))?, read_ranges(Some(&value))?);
            }
            Ok(epochs)
        })
        .await
    }

    async fn next_window(&self, host: &HostId, from_unix_ms: i64) -> Result<Option<i64>, StoreError> {
        let (host, from) = (host.clone(), step_start(from_unix_ms, BUCKET_MS));
        self.read(move |view| {
            let packed = view.first(&view.tables.chunks, &host, from)?;
            let raw = view.first(&view.tables.raw, &host, from)?;
            let first = packed.into_iter().chain(raw).min();
            Ok(first.map(|time| step_start(time, BUCKET_MS)))
        })
        .await
    }

    async fn samples(
        &self,
        host: &HostId,
        from_unix_ms: i64,
        to_unix_ms: i64,
    ) -> Result<Vec<NumberedSample>, StoreError> {
        let host = host.clone();
        self.read(move |view| {
            let found = view.samples(&host, from_unix_ms, to_unix_ms)?.into_iter();
            Ok(found
                .map(|stored| NumberedSample {
                    epoch: stored.epoch,
                    sample: stored.sample,
                })
                .collect())
        })
        .await
    }

    async fn dropped_by_epoch(&self, host: &HostId) -> Result<Vec<(String, DroppedRecord)>, StoreError> {
        let host = host.clone();
        self.read(move |view| {
            let mut dropped = Vec::new();
            for row in view
                .snapshot
                .prefix(&view.tables.dropped, keys::host_prefix(&host))
            {
                let (key, value) = row.into_inner()?;
                dropped.push((epoch(keys::epoch_of(&host, &key))?, from_json(&value)?));
            }
            Ok(dropped)
        })
        .await
    }

    async fn next_rollup(
        &self,
        host: &HostId,
        resolution: Resolution,
        from_unix_ms: i64,
    ) -> Result<Option<i64>, StoreError> {
        let host = host.clone();
        self.read(move |view| {
            let Some((table, span)) = rolled(&view.tables, resolution) else {
                return Ok(None);
            };
            let stored = view.first(table, &host, step_start(from_unix_ms, span))?;
            // Samples that are not packed yet have no roll-up, but have a part in one.
            let pending = view.first(&view.tables.pending, &host, step_start(from_unix_ms, span))?;
            Ok(stored.into_iter().chain(pending).min())
        })
        .await
    }

    async fn rollups(
        &self,
        host: &HostId,
        resolution: Resolution,
        from_unix_ms: i64,
        to_unix_ms: i64,
    ) -> Result<Rollup, StoreError> {
        let (host, from, to) = (host.clone(), from_unix_ms, to_unix_ms);
        self.read(move |view| {
            let rollup = match resolution {
                Resolution::Second => Rollup::default(),
                Resolution::Minute => view.minutes(&host, from, to)?,
                Resolution::Hour => view.hours(&host, None, from, to)?,
            };
            Ok(rollup.within(from, to))
        })
        .await
    }

    async fn settle(&self, host: &HostId, epoch: &str, ranges: &SeqRanges) -> Result<(), StoreError> {
        let (host, epoch, ranges) = (host.clone(), epoch.to_owned(), ranges.clone());
        self.writer
            .write(move |state| settle(state, &host, &epoch, &ranges))
            .await
    }

    async fn add_rollups(
        &self,
        host: &HostId,
        resolution: Resolution,
        rollup: &Rollup,
    ) -> Result<u64, StoreError> {
        let (host, rollup) = (host.clone(), rollup.clone());
        self.write(move |tables| add_rollups(tables, &host, resolution, rollup))
            .await
    }

    async fn raise_kept_from(&self, resolution: Resolution, time_unix_ms: i64) -> Result<(), StoreError> {
        self.write(move |tables| maintain::raise_kept_from(tables, resolution, time_unix_ms))
            .await
    }

    fn duplicate(&self, folder: &Path, ending: &CancellationToken) -> Result<u64, StoreError> {
        let stopped = |reason: &str| StoreError::Unavailable {
            reason: reason.to_owned(),
        };
        let go_on = || {
            if ending.is_cancelled() {
                return Err(stopped("the copy was ended before it was complete"));
            }
            if self.opened.is_awaited() {
                return Err(stopped(
                    "a write failed meanwhile; copy again once the server is ready",
                ));
            }
            Ok(())
        };
        self.opened.read(|view| duplicate(view, folder, &go_on))
    }
}

impl View {
    /// Time of a host's first row of a table, from an instant on.
    fn first(&self, table: &Keyspace, host: &HostId, from: i64) -> Result<Option<i64>, StoreError> {
        let mut rows = self.snapshot.range(table, keys::between(host, from, i64::MAX));
        match rows.next() {
            Some(row) => Ok(keys::time_of(host, &row.key()?)),
            None => Ok(None),
        }
    }
}

/// The table of a resolution's roll-ups and the time that one row spans.
fn rolled(tables: &Tables, resolution: Resolution) -> Option<(&Keyspace, i64)> {
    match resolution {
        Resolution::Second => None,
        Resolution::Minute => Some((&tables.minutes, BUCKET_MS)),
        Resolution::Hour => Some((&tables.hours, DAY_MS)),
    }
}

fn add_rollups(
    tables: &Tables,
    host: &HostId,
    resolution: Resolution,
    rollup: Rollup,
) -> Result<u64, StoreError> {
    let Some((table, span)) = rolled(tables, resolution) else {
        return Ok(0);
    };
    let mut rows: BTreeMap<i64, Rollup> = BTreeMap::new();
    for (start, step) in rollup.steps {
        let row = rows.entry(step_start(start, span)).or_default();
        row.steps.insert(start, step);
    }
    let mut added = 0;
    let mut write = tables.database.batch();
    for (start, fresh) in rows {
        let key = keys::at(host, start);
        let mut row = match table.get(&key)? {
            Some(bytes) => rollup_chunk::decode(&bytes, None)?,
            None => Rollup::default(),
        };
        let before = row.steps.len();
        for (start, step) in fresh.steps {
            row.steps.entry(start).or_insert(step);
        }
        if row.steps.len() > before {
            added += (row.steps.len() - before) as u64;
            write.insert(table, key, rollup_chunk::encode(&row)?);
        }
    }
    write.commit()?;
    Ok(added)
}

fn epoch(name: Option<&str>) -> Result<String, StoreError> {
    let name = name.ok_or_else(|| damaged("an epoch's name cannot be read"))?;
    Ok(name.to_owned())
}
