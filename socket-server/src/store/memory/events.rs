//! Rollouts and answers in memory.

use async_trait::async_trait;

use super::store::MemoryStore;
use crate::store::{AccountId, AnswerRecord, DeployRecord, EventStore, HostId, StoreError};

/// Rollouts kept in all; the oldest go first.
const DEPLOY_EVENTS_MAX: usize = 10_000;

/// Answers kept in all; the oldest go first.
const ANSWERS_MAX: usize = 10_000;

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
        let key = (answer.time_unix_ms, answer.host.clone(), answer.kind.clone());
        state.answers.insert(key, answer);
        if state.answers.len() > ANSWERS_MAX {
            state.answers.pop_first();
        }
        Ok(())
    }

    async fn answers(
        &self,
        host: &HostId,
        kind: Option<&str>,
        from_unix_ms: i64,
        to_unix_ms: i64,
    ) -> Result<Vec<AnswerRecord>, StoreError> {
        let state = self.shared.lock();
        let wanted = |answer: &&AnswerRecord| {
            answer.host == *host
                && kind.is_none_or(|kind| answer.kind == kind)
                && (from_unix_ms..to_unix_ms).contains(&answer.time_unix_ms)
        };
        Ok(state.answers.values().filter(wanted).cloned().collect())
    }
}
