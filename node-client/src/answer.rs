//! Answers to the questions that a server may ask: a closed list, never a command.

use metric_flow_protocol::node::Question;
use thiserror::Error;

use crate::host_root::HostRoot;

/// A question that this client cannot answer.
#[derive(Debug, Error)]
pub enum AnswerError {
    /// The question is newer than this client.
    #[error("this node-client does not know the question; update it")]
    UnknownQuestion,
}

/// Answers a question with a JSON document. It reads many files: call it on a blocking thread.
///
/// # Errors
/// When the question is unknown or the host does not say.
pub fn answer(_root: &HostRoot, _question: Question) -> Result<String, AnswerError> {
    Err(AnswerError::UnknownQuestion)
}
