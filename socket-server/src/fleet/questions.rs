//! Questions that one connection of a host was asked and has not answered. Pure.

use std::collections::HashMap;

use metric_flow_protocol::node::{Answer, Question, Request};
use tokio::sync::oneshot;

/// Questions that a host may have to answer at a time: people click, and a node-client answers two at once.
const WAITING_MAX: usize = 8;

/// The host has enough to answer.
#[derive(Debug)]
pub(super) struct TooManyQuestions;

/// What was asked and is not answered.
#[derive(Debug, Default)]
pub(super) struct Questions {
    last_id: u64,
    to_send: Vec<Request>,
    waiting: HashMap<u64, oneshot::Sender<Answer>>,
}

impl Questions {
    /// Adds a question; the receiver gets its answer.
    pub(super) fn ask(
        &mut self,
        question: Question,
    ) -> Result<(u64, oneshot::Receiver<Answer>), TooManyQuestions> {
        if self.waiting.len() >= WAITING_MAX {
            return Err(TooManyQuestions);
        }
        self.last_id += 1;
        let (sender, receiver) = oneshot::channel();
        self.waiting.insert(self.last_id, sender);
        self.to_send.push(Request {
            request_id: self.last_id,
            question: question.into(),
        });
        Ok((self.last_id, receiver))
    }

    /// Those that are not sent yet.
    pub(super) fn take(&mut self) -> Vec<Request> {
        std::mem::take(&mut self.to_send)
    }

    /// Hands an answer to whoever waits for it.
    pub(super) fn answered(&mut self, answer: Answer) {
        if let Some(waiting) = self.waiting.remove(&answer.request_id) {
            // Whoever asked may have gone meanwhile.
            drop(waiting.send(answer));
        }
    }

    /// Stops waiting for an answer.
    pub(super) fn give_up(&mut self, request_id: u64) {
        self.waiting.remove(&request_id);
        self.to_send.retain(|request| request.request_id != request_id);
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "a test fails by panicking")]

    use super::*;

    fn answer(request_id: u64) -> Answer {
        Answer {
            request_id,
            ..Answer::default()
        }
    }

    #[test]
    fn an_answer_finds_the_one_who_asked() {
        let mut questions = Questions::default();
        let (first, mut one) = questions.ask(Question::Os).expect("asked");
        let (second, mut two) = questions.ask(Question::Disks).expect("asked");
        assert_eq!(questions.take().len(), 2);
        questions.answered(answer(second));
        assert!(one.try_recv().is_err());
        assert_eq!(two.try_recv().map(|answer| answer.request_id), Ok(second));
        questions.answered(answer(77));
        questions.give_up(first);
        questions.answered(answer(first));
        assert!(one.try_recv().is_err());
    }

    #[test]
    fn a_host_has_only_so_much_to_answer() {
        let mut questions = Questions::default();
        let asked: Vec<_> = (0..WAITING_MAX)
            .map(|_| questions.ask(Question::Os).expect("asked"))
            .collect();
        assert!(questions.ask(Question::Os).is_err());
        questions.give_up(asked[0].0);
        assert!(questions.ask(Question::Os).is_ok());
    }
}
