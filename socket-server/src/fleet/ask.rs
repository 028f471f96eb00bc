//! Asking a host something from the closed list, over the connection that it keeps open.

use std::{sync::Arc, time::Duration};

use metric_flow_protocol::node::Question;
use thiserror::Error;

use super::registry::Fleet;
use crate::store::{AccountId, HostId};

/// How long a host may take for an answer: a container engine is given five seconds, the way there and back the rest.
const ANSWER_DEADLINE: Duration = Duration::from_secs(10);

/// Why a question has no answer.
#[derive(Debug, Error)]
pub enum AskError {
    /// The account has no such host.
    #[error("there is no such host")]
    NoHost,
    /// The host has no open connection, or lost it before it answered.
    #[error("the host is offline")]
    Offline,
    /// The host has enough to answer.
    #[error("the host has other questions to answer")]
    Busy,
    /// No answer came in time.
    #[error("the host did not answer within {} seconds", ANSWER_DEADLINE.as_secs())]
    NoAnswer,
    /// The host says why it cannot answer.
    #[error("the host cannot answer: {0}")]
    Refused(String),
}

impl Fleet {
    /// Asks a host; returns its answer, a JSON document.
    ///
    /// # Errors
    /// When there is no such host, or no answer of it.
    pub async fn ask(
        &self,
        account: &AccountId,
        host: &HostId,
        question: Question,
    ) -> Result<String, AskError> {
        let link = {
            let room = self.room(account);
            let state = room.lock();
            let entry = state.hosts.get(host).ok_or(AskError::NoHost)?;
            entry.link.as_ref().map(Arc::clone).ok_or(AskError::Offline)?
        };
        let (request_id, answer) = link.ask(question).map_err(|_| AskError::Busy)?;
        let Ok(answer) = tokio::time::timeout(ANSWER_DEADLINE, answer).await else {
            link.give_up(request_id);
            return Err(AskError::NoAnswer);
        };
        let answer = answer.map_err(|_| AskError::Offline)?;
        if answer.error.is_empty() {
            Ok(answer.json)
        } else {
            Err(AskError::Refused(answer.error))
        }
    }
}
