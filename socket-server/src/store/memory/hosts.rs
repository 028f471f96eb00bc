//! Hosts and their newest samples in memory.

use super::state::State;
use crate::store::{AccountId, HostId, HostRecord, SampleBatch, StoreError};

/// Samples kept for each host: an hour at 1 Hz. The oldest go first; this store is for tests and for a look.
const SAMPLES_PER_HOST_MAX: usize = 3_600;

impl State {
    pub(super) fn hosts_of(&self, account: &AccountId) -> Vec<HostRecord> {
        self.hosts
            .values()
            .filter(|host| host.account == *account)
            .cloned()
            .collect()
    }

    pub(super) fn host(&self, account: &AccountId, id: &HostId) -> Option<HostRecord> {
        self.hosts
            .get(id)
            .filter(|host| host.account == *account)
            .cloned()
    }

    pub(super) fn delete_host(&mut self, account: &AccountId, id: &HostId) -> Result<(), StoreError> {
        if self.host(account, id).is_none() {
            return Err(StoreError::NotFound { what: "host" });
        }
        self.hosts.remove(id);
        self.past.remove(id);
        self.answers.retain(|_, answer| answer.host != *id);
        Ok(())
    }

    pub(super) fn append(&mut self, batches: &[SampleBatch]) {
        for batch in batches {
            let past = self.past.entry(batch.host.clone()).or_default();
            let settled = past.settled.entry(batch.epoch.clone()).or_default();
            for sample in &batch.samples {
                if !settled.contains(sample.seq) {
                    settled.insert(sample.seq, sample.seq);
                    past.samples.insert(
                        (sample.time_unix_ms, batch.epoch.clone(), sample.seq),
                        sample.clone(),
                    );
                }
            }
            for dropped in &batch.dropped {
                settled.insert(dropped.first_seq, dropped.last_seq);
                let dropped = (batch.epoch.clone(), dropped.clone());
                if !past.dropped.contains(&dropped) {
                    past.dropped.push(dropped);
                }
            }
            while past.samples.len() > SAMPLES_PER_HOST_MAX {
                past.samples.pop_first();
            }
        }
    }
}
