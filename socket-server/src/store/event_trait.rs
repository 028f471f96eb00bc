//! Keeping what happens now and then.

use async_trait::async_trait;

use super::{AccountId, AnswerRecord, DeployRecord, HostId, StoreError};

/// Keeps rollouts and answers. Every write is durable when it returns.
///
/// Rollouts are kept as long as hours are, answers as long as samples are; a host's answers go with the host.
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

    /// Adds an answer, or replaces the one of the same host, kind and instant.
    async fn put_answer(&self, answer: AnswerRecord) -> Result<(), StoreError>;
    /// A host's answers with `from_unix_ms <= time < to_unix_ms`, oldest first; of one kind, or of all.
    async fn answers(
        &self,
        host: &HostId,
        kind: Option<&str>,
        from_unix_ms: i64,
        to_unix_ms: i64,
    ) -> Result<Vec<AnswerRecord>, StoreError>;
}
