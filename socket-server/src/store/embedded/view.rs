//! One consistent look at the tables.

use std::sync::Arc;

use fjall::{Readable as _, Snapshot};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    bytes::damaged,
    keys,
    pack::BUCKET_MS,
    sample_chunk::{SampleChunk, StoredSample},
    tables::Tables,
};
use crate::store::{HostId, Resolution, SeqRanges, StoreError, rollup::step_start};

/// The tables as they were at one instant: packing moves rows between tables, and a reader must see each once.
pub(super) struct View {
    pub(super) tables: Arc<Tables>,
    pub(super) snapshot: Snapshot,
}

impl View {
    pub(super) fn new(tables: &Arc<Tables>) -> Self {
        Self {
            tables: Arc::clone(tables),
            snapshot: tables.database.snapshot(),
        }
    }

    /// First instant from which a resolution is kept.
    pub(super) fn watermark(&self, resolution: Resolution) -> Result<i64, StoreError> {
        match self.snapshot.get(&self.tables.meta, watermark_name(resolution))? {
            None => Ok(i64::MIN),
            Some(bytes) => {
                let bytes = bytes
                    .first_chunk::<8>()
                    .ok_or_else(|| damaged("a watermark is cut short"))?;
                Ok(i64::from_be_bytes(*bytes))
            }
        }
    }

    /// Whether a bucket has samples that are not packed yet.
    pub(super) fn is_pending(&self, host: &HostId, bucket: i64) -> Result<bool, StoreError> {
        Ok(self
            .snapshot
            .contains_key(&self.tables.pending, keys::at(host, bucket))?)
    }

    /// Buckets with samples that are not packed yet, from the one that holds `from` on.
    pub(super) fn pending(&self, host: &HostId, from: i64, to: i64) -> Result<Vec<i64>, StoreError> {
        let range = keys::between(host, step_start(from, BUCKET_MS), to);
        let mut buckets = Vec::new();
        for row in self.snapshot.range(&self.tables.pending, range) {
            let key = row.key()?;
            buckets.push(keys::time_of(host, &key).ok_or_else(|| damaged("a key is cut short"))?);
        }
        Ok(buckets)
    }

    /// Every sample of a window, packed or not, by time.
    pub(super) fn samples(&self, host: &HostId, from: i64, to: i64) -> Result<Vec<StoredSample>, StoreError> {
        let mut samples = Vec::new();
        let chunks = keys::between(host, step_start(from, BUCKET_MS), to);
        for row in self.snapshot.range(&self.tables.chunks, chunks) {
            let bytes = row.value()?;
            let chunk = SampleChunk::open(&bytes)?;
            samples.extend(chunk.samples_within(from, to)?);
        }
        let unpacked = self.unpacked(host, from, to)?;
        if !unpacked.is_empty() {
            samples.extend(unpacked.samples()?);
            samples.sort_by(|a, b| {
                let key = |stored: &StoredSample| (stored.sample.time_unix_ms, stored.sample.seq);
                key(a).cmp(&key(b)).then_with(|| a.epoch.cmp(&b.epoch))
            });
        }
        Ok(samples)
    }
}

pub(super) const fn watermark_name(resolution: Resolution) -> &'static str {
    match resolution {
        Resolution::Second => "kept_from_raw",
        Resolution::Minute => "kept_from_minutes",
        Resolution::Hour => "kept_from_hours",
    }
}

pub(super) fn read_ranges(bytes: Option<&[u8]>) -> Result<SeqRanges, StoreError> {
    let (pairs, rest) = bytes.unwrap_or_default().as_chunks::<16>();
    if !rest.is_empty() {
        return Err(damaged("settled ranges are cut short"));
    }
    let number = |bytes: &[u8]| {
        bytes
            .first_chunk::<8>()
            .map_or(0, |bytes| u64::from_be_bytes(*bytes))
    };
    Ok(pairs
        .iter()
        .map(|pair| (number(&pair[..8]), number(&pair[8..])))
        .collect())
}

pub(super) fn to_json(record: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(record).map_err(|error| damaged(&format!("a record cannot be written: {error}")))
}

pub(super) fn from_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(bytes).map_err(|error| damaged(&format!("a record cannot be read: {error}")))
}
