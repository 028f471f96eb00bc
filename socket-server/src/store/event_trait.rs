//! Keeping what happens now and then.

use async_trait::async_trait;

use super::{AccountId, AnswerRecord, DeployRecord, HostId, StoreError};

/// Keeps rollouts and answers. Every write is durable when it returns.
///
/// Rollouts are kept as long as hours are. Of a host's answers to one question the last is kept, and goes with the host.
#[async_trait]
pub trait EventStore: Send + Sync + 'static {
    /// Adds a deed of a rollout, or replaces the one of the same [`DeployRecord::key`].
    async fn put_deploy_event(&self, event: DeployRecord) -> Result<(), StoreError>;
    /// What was done to an account's hosts with `from_unix_ms <= start < to_unix_ms`, oldest first. At most the
    /// newest `limit`.
    async fn deploy_events(
        &self,
        account: &AccountId,
        from_unix_ms: i64,
        to_unix_ms: i64,
        limit: usize,
    ) -> Result<Vec<DeployRecord>, StoreError>;

    /// Keeps a host's answer in place of the one to the same question before, unless that one is newer.
    async fn put_answer(&self, answer: AnswerRecord) -> Result<(), StoreError>;
    /// The last answer of a host to one question.
    async fn answer(&self, host: &HostId, kind: &str) -> Result<Option<AnswerRecord>, StoreError>;
    /// The last answer of a host to each question that it was asked, by their names.
    async fn answers(&self, host: &HostId) -> Result<Vec<AnswerRecord>, StoreError>;
}
