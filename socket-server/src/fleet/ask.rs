//! Asking a host something from the closed list, over the connection that it keeps open.

use std::{sync::Arc, time::Duration};

use metric_flow_protocol::node::Question;
use serde_json::Value;
use thiserror::Error;

use super::registry::Fleet;
use crate::{
    clock::now_unix_ms,
    store::{AccountId, AnswerRecord, HostId, StoreError},
};

/// How long a host may take for an answer: a container engine is given five seconds, the way there and back the rest.
const ANSWER_DEADLINE: Duration = Duration::from_secs(10);

/// How long the store may take to keep an answer: whoever asked is not kept waiting by a database that is away.
const KEEP_DEADLINE: Duration = Duration::from_secs(2);

/// What a host can be asked, by the names that the API and the store have for it.
const QUESTIONS: [(&str, Question); 5] = [
    ("processes", Question::Processes),
    ("disks", Question::Disks),
    ("os", Question::Os),
    ("network", Question::Network),
    ("containers", Question::Containers),
];

/// Why a question has no answer.
#[derive(Debug, Error)]
pub enum AskError {
    /// The list has no such question.
    #[error("a host is not asked that")]
    NoQuestion,
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
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Fleet {
    /// Asks a host; returns its answer, which is kept as the last one.
    ///
    /// # Errors
    /// When there is no such question or host, or no answer of it.
    pub async fn ask(&self, account: &AccountId, host: &HostId, kind: &str) -> Result<Value, AskError> {
        let answer = self.answer_of(account, host, question(kind)?).await?;
        // Whatever the host says, what leaves here is JSON.
        let body: Value = serde_json::from_str(&answer)
            .map_err(|_| AskError::Refused("its answer is no JSON".to_owned()))?;
        let record = AnswerRecord {
            account: account.clone(),
            host: host.clone(),
            kind: kind.to_owned(),
            time_unix_ms: now_unix_ms(),
            body: body.clone(),
        };
        match tokio::time::timeout(KEEP_DEADLINE, self.keep_answer(record)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%host, kind, %error, "an answer is not kept"),
            Err(_) => tracing::warn!(%host, kind, "an answer is not kept: the store takes too long"),
        }
        Ok(body)
    }

    /// The last answer of a host, whether it is connected or not.
    ///
    /// # Errors
    /// When there is no such question or host, or the store fails.
    pub async fn last_answer(
        &self,
        account: &AccountId,
        host: &HostId,
        kind: &str,
    ) -> Result<Option<AnswerRecord>, AskError> {
        question(kind)?;
        if !self.has_host(account, host) {
            return Err(AskError::NoHost);
        }
        Ok(self.store.answer(host, kind).await?)
    }

    /// Keeps an answer, unless its host was deleted meanwhile: nobody would ever take it away again.
    async fn keep_answer(&self, answer: AnswerRecord) -> Result<(), StoreError> {
        let _shared = self.removal.read().await;
        if self.has_host(&answer.account, &answer.host) {
            self.store.put_answer(answer).await?;
        }
        Ok(())
    }

    async fn answer_of(
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

fn question(kind: &str) -> Result<Question, AskError> {
    let known = QUESTIONS.iter().find(|(name, _)| *name == kind);
    known.map(|(_, question)| *question).ok_or(AskError::NoQuestion)
}
