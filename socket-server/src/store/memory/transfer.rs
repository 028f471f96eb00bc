//! Moving into and out of the memory store, which keeps no roll-ups.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::store::MemoryStore;
use crate::store::{
    Account, DroppedRecord, HostId, NumberedSample, Resolution, SAMPLE_WINDOW_MS, SeqRanges, StoreError,
    TransferStore,
    rollup::{Rollup, step_start},
};

#[async_trait]
impl TransferStore for MemoryStore {
    async fn accounts(&self) -> Result<Vec<Account>, StoreError> {
        Ok(self.shared.lock().accounts.values().cloned().collect())
    }

    async fn epochs(&self, host: &HostId) -> Result<BTreeMap<String, SeqRanges>, StoreError> {
        let state = self.shared.lock();
        let settled = state.past.get(host).map(|past| past.settled.clone());
        Ok(settled.unwrap_or_default().into_iter().collect())
    }

    async fn next_window(&self, host: &HostId, from_unix_ms: i64) -> Result<Option<i64>, StoreError> {
        let from = step_start(from_unix_ms, SAMPLE_WINDOW_MS);
        let state = self.shared.lock();
        let first = state
            .past
            .get(host)
            .and_then(|past| past.samples.range((from, String::new(), 0)..).next());
        Ok(first.map(|((time, _, _), _)| step_start(*time, SAMPLE_WINDOW_MS)))
    }

    async fn samples(
        &self,
        host: &HostId,
        from_unix_ms: i64,
        to_unix_ms: i64,
    ) -> Result<Vec<NumberedSample>, StoreError> {
        let state = self.shared.lock();
        let Some(past) = state.past.get(host).filter(|_| from_unix_ms < to_unix_ms) else {
            return Ok(Vec::new());
        };
        let window = (from_unix_ms, String::new(), 0)..(to_unix_ms, String::new(), 0);
        let found = past.samples.range(window);
        Ok(found
            .map(|((_, epoch, _), sample)| NumberedSample {
                epoch: epoch.clone(),
                sample: sample.clone(),
            })
            .collect())
    }

    async fn dropped_by_epoch(&self, host: &HostId) -> Result<Vec<(String, DroppedRecord)>, StoreError> {
        let state = self.shared.lock();
        Ok(state
            .past
            .get(host)
            .map_or_else(Vec::new, |past| past.dropped.clone()))
    }

    async fn next_rollup(&self, _: &HostId, _: Resolution, _: i64) -> Result<Option<i64>, StoreError> {
        Ok(None)
    }

    async fn rollups(&self, _: &HostId, _: Resolution, _: i64, _: i64) -> Result<Rollup, StoreError> {
        Ok(Rollup::default())
    }

    async fn settle(&self, host: &HostId, epoch: &str, ranges: &SeqRanges) -> Result<(), StoreError> {
        let mut state = self.shared.lock();
        let past = state.past.entry(host.clone()).or_default();
        let settled = past.settled.entry(epoch.to_owned()).or_default();
        for (first, last) in ranges.iter() {
            settled.insert(first, last);
        }
        Ok(())
    }

    async fn add_rollups(&self, _: &HostId, _: Resolution, _: &Rollup) -> Result<u64, StoreError> {
        Ok(0)
    }

    async fn raise_kept_from(&self, _: Resolution, _: i64) -> Result<(), StoreError> {
        Ok(())
    }
}
