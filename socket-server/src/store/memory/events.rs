//! Rollouts and answers in memory.

use async_trait::async_trait;

use super::store::MemoryStore;
use crate::store::{AccountId, AnswerRecord, DeployRecord, EventStore, HostId, StoreError};

/// Rollouts kept in all; the oldest go first.
const DEPLOY_EVENTS_MAX: usize = 10_000;

#[async_trait]
impl EventStore for MemoryStore {
    async fn put_deploy_event(&self, event: DeployRecord) -> Result<(), StoreError> {
        let mut state = self.shared.lock();
        state
            .deploy_events
            .insert((event.event.started_unix_ms, event.key()), event);
        if state.deploy_events.len() > DEPLOY_EVENTS_MAX {
            state.deploy_events.pop_first();
        }
        Ok(())
    }

    async fn deploy_events(
        &self,
        account: &AccountId,
        from_unix_ms: i64,
        to_unix_ms: i64,
        limit: usize,
    ) -> Result<Vec<DeployRecord>, StoreError> {
        let state = self.shared.lock();
        let wanted = |record: &&DeployRecord| {
            record.account == *account && (from_unix_ms..to_unix_ms).contains(&record.event.started_unix_ms)
        };
        let found = state.deploy_events.values().filter(wanted);
        let mut newest: Vec<_> = found.rev().take(limit).cloned().collect();
        newest.reverse();
        Ok(newest)
    }

    async fn put_answer(&self, answer: AnswerRecord) -> Result<(), StoreError> {
        let mut state = self.shared.lock();
        let key = (answer.host.clone(), answer.kind.clone());
        let newer = |known: &AnswerRecord| known.time_unix_ms > answer.time_unix_ms;
        if !state.answers.get(&key).is_some_and(newer) {
            state.answers.insert(key, answer);
        }
        Ok(())
    }

    async fn answer(&self, host: &HostId, kind: &str) -> Result<Option<AnswerRecord>, StoreError> {
        let key = (host.clone(), kind.to_owned());
        Ok(self.shared.lock().answers.get(&key).cloned())
    }

    async fn answers(&self, host: &HostId) -> Result<Vec<AnswerRecord>, StoreError> {
        let state = self.shared.lock();
        let of_host = state.answers.values().filter(|answer| answer.host == *host);
        Ok(of_host.cloned().collect())
    }
}
