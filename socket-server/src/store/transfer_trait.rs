//! What moving a store needs beyond its daily work: reading everything, and putting it back as it was.

use std::{collections::BTreeMap, path::Path};

use async_trait::async_trait;
use metric_flow_protocol::metrics::Sample;
use tokio_util::sync::CancellationToken;

use super::{Account, DroppedRecord, HostId, Resolution, SeqRanges, Store, StoreError, rollup::Rollup};

/// Length of the windows in which samples are read, in milliseconds: ten minutes of one host are little memory.
pub const SAMPLE_WINDOW_MS: i64 = 600_000;

/// A sample and the numbering that it belongs to.
#[derive(Debug, Clone, PartialEq)]
pub struct NumberedSample {
    /// The numbering.
    pub epoch: String,
    /// The sample.
    pub sample: Sample,
}

/// A store that can be read whole and filled again.
///
/// What is read are answers, not tables: samples that were not rolled up yet are part of the roll-ups.
#[async_trait]
pub trait TransferStore: Store {
    /// All accounts, by id.
    async fn accounts(&self) -> Result<Vec<Account>, StoreError>;
    /// Settled sequence numbers of every epoch of a host.
    async fn epochs(&self, host: &HostId) -> Result<BTreeMap<String, SeqRanges>, StoreError>;
    /// Start of the first window of [`SAMPLE_WINDOW_MS`], from that of `from_unix_ms` on, in which the host has
    /// samples.
    async fn next_window(&self, host: &HostId, from_unix_ms: i64) -> Result<Option<i64>, StoreError>;
    /// Samples with `from_unix_ms <= time < to_unix_ms`, ascending by time.
    async fn samples(
        &self,
        host: &HostId,
        from_unix_ms: i64,
        to_unix_ms: i64,
    ) -> Result<Vec<NumberedSample>, StoreError>;
    /// Every range of a host that was reported as dropped, with its epoch.
    async fn dropped_by_epoch(&self, host: &HostId) -> Result<Vec<(String, DroppedRecord)>, StoreError>;
    /// An instant at or before the first step of a resolution, from `from_unix_ms` on, that is stored or can be
    /// made; `None` when no step follows. A store without roll-ups has none.
    async fn next_rollup(
        &self,
        host: &HostId,
        resolution: Resolution,
        from_unix_ms: i64,
    ) -> Result<Option<i64>, StoreError>;
    /// The steps of a resolution with `from_unix_ms <= start < to_unix_ms`, every series.
    async fn rollups(
        &self,
        host: &HostId,
        resolution: Resolution,
        from_unix_ms: i64,
        to_unix_ms: i64,
    ) -> Result<Rollup, StoreError>;

    /// Counts sequence numbers as settled whose samples do not come any more.
    async fn settle(&self, host: &HostId, epoch: &str, ranges: &SeqRanges) -> Result<(), StoreError>;
    /// Adds the steps that are not stored yet and leaves the others as they are; returns how many were added.
    /// A store without roll-ups adds none.
    async fn add_rollups(
        &self,
        host: &HostId,
        resolution: Resolution,
        rollup: &Rollup,
    ) -> Result<u64, StoreError>;
    /// Notes that a resolution is kept from this instant on only, unless that is known of a later one.
    async fn raise_kept_from(&self, resolution: Resolution, time_unix_ms: i64) -> Result<(), StoreError>;

    /// Makes a second store in a new folder, with what this one holds at one instant, while this one goes on; reads
    /// it again to prove it, and returns how many rows it has. Blocks, and ends early with an error on `ending`.
    ///
    /// # Errors
    /// `Unfit` when the store is no folder, `Unavailable` when the copy cannot be made or read again.
    fn duplicate(&self, folder: &Path, ending: &CancellationToken) -> Result<u64, StoreError> {
        let _ = (folder, ending);
        Err(StoreError::Unfit {
            reason: "only an embedded store is a folder; use `export` for any other".to_owned(),
        })
    }
}
