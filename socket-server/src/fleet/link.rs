//! What the rest of the server can do to one open connection of a host: wake it, close it, move its acknowledgement.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use metric_flow_protocol::node::{Answer, Question, Request};
use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};

use super::questions::{Questions, TooManyQuestions};
use crate::store::{ApiKeyId, SeqRanges};

/// Acknowledgements of a connection that go out as soon as they can: someone who tries a client out sees each.
const PROMPT_ACKS: u64 = 16;
/// Samples that one acknowledgement gathers after those: a frame for each would be a sixth of what a sample costs
/// the server. A host that waits for the last ones asks with a ping.
const SAMPLES_PER_ACK: u64 = 5;

/// Why the server closes a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseReason {
    /// The server ends; come back soon.
    GoingAway,
    /// The API key was revoked or rotated away.
    KeyRevoked,
    /// The API key has reached its end.
    KeyExpired,
    /// The person logged out, or changed the password.
    LoggedOut,
    /// The log-in has reached its end.
    SessionExpired,
    /// A newer connection of the same host took over.
    Replaced,
    /// The host was deleted by a person.
    HostDeleted,
    /// Nothing was heard for too long.
    Silent,
    /// The peer does not read what it is sent.
    NotReading,
    /// Samples were left out of the store's queue; connect again and replay them.
    ReplayNeeded,
}

impl CloseReason {
    /// The WebSocket close code (RFC 6455 §7.4.1, and 1012–1013 of its registry).
    pub fn code(self) -> u16 {
        match self {
            Self::GoingAway => 1001,
            Self::ReplayNeeded => 1013,
            Self::KeyRevoked
            | Self::KeyExpired
            | Self::LoggedOut
            | Self::SessionExpired
            | Self::Replaced
            | Self::HostDeleted
            | Self::Silent
            | Self::NotReading => 1008,
        }
    }

    /// One sentence for a person, at most 123 bytes as a close frame allows.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::GoingAway => "the server is ending: connect again",
            Self::KeyRevoked => "the API key was revoked: create another on the Keys page",
            Self::KeyExpired => "the API key has expired: create another on the Keys page",
            Self::LoggedOut => "logged out",
            Self::SessionExpired => "the log-in has expired: log in again",
            Self::Replaced => "a newer connection of this host took over",
            Self::HostDeleted => "the host was deleted: connect again to enrol it anew",
            Self::Silent => "nothing was heard for too long",
            Self::NotReading => "nothing was read for too long: connect again",
            Self::ReplayNeeded => {
                "samples were not stored while the store was away: connect again and replay them"
            }
        }
    }
}

/// A connection's mailbox: at most one reason to close, and a wake-up. It allocates nothing until used.
#[derive(Debug, Default)]
pub struct Mailbox {
    close: Mutex<Option<CloseReason>>,
    probe_due: AtomicBool,
    wake: Notify,
}

impl Mailbox {
    /// Asks the connection to close. The first reason stays.
    pub fn close(&self, reason: CloseReason) {
        self.close.lock().get_or_insert(reason);
        self.wake.notify_one();
    }

    /// The reason to close, if there is one.
    pub fn closing(&self) -> Option<CloseReason> {
        *self.close.lock()
    }

    /// Asks the connection to look whether its peer still lives.
    pub fn probe(&self) {
        self.probe_due.store(true, Ordering::Relaxed);
        self.wake.notify_one();
    }

    /// Whether a probe was asked for since the last call.
    pub fn take_probe(&self) -> bool {
        self.probe_due.swap(false, Ordering::Relaxed)
    }

    /// Wakes the connection's task.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Waits for a wake-up; one that came before is not lost.
    pub async fn woken(&self) {
        self.wake.notified().await;
    }
}

/// One open connection of a host, as the registry, the writer and the key store know it.
#[derive(Debug)]
pub struct HostLink {
    /// The key that the host logged in with.
    pub key: ApiKeyId,
    /// When that key ends.
    pub key_expires_unix_ms: Option<i64>,
    /// The mailbox of the session's task.
    pub mailbox: Mailbox,
    durable_seq: AtomicU64,
    acknowledged_seq: AtomicU64,
    acks: AtomicU64,
    /// An acknowledgement up to here is wanted as soon as it can be given.
    wanted_seq: AtomicU64,
    questions: Mutex<Option<Box<Questions>>>,
    ahead: Mutex<SeqRanges>,
    replay_needed: AtomicBool,
    heard: AtomicU64,
    proof_wanted: AtomicBool,
    ended: AtomicBool,
}

impl HostLink {
    /// A link for a host that logged in with `key`.
    pub fn new(key: ApiKeyId, key_expires_unix_ms: Option<i64>) -> Arc<Self> {
        Arc::new(Self {
            key,
            key_expires_unix_ms,
            mailbox: Mailbox::default(),
            durable_seq: AtomicU64::new(0),
            acknowledged_seq: AtomicU64::new(0),
            acks: AtomicU64::new(0),
            wanted_seq: AtomicU64::new(0),
            questions: Mutex::new(None),
            ahead: Mutex::new(SeqRanges::default()),
            replay_needed: AtomicBool::new(false),
            heard: AtomicU64::new(0),
            proof_wanted: AtomicBool::new(false),
            ended: AtomicBool::new(false),
        })
    }

    /// Sets what was durable before this connection: everything up to `durable_seq`, and `ranges`.
    pub fn resume(&self, durable_seq: u64, ranges: SeqRanges) {
        let mut ahead = self.ahead.lock();
        self.durable_seq.store(durable_seq, Ordering::Release);
        // The hello's answer acknowledges these.
        self.acknowledged_seq.store(durable_seq, Ordering::Release);
        *ahead = ranges;
    }

    /// Notes that `ranges` are durable now, and wakes the session when an acknowledgement is due.
    pub fn settle(&self, ranges: impl IntoIterator<Item = (u64, u64)>) {
        let mut ahead = self.ahead.lock();
        let before = self.durable_seq.load(Ordering::Acquire);
        let mut durable = before;
        for (first, last) in ranges {
            // The usual case, the next sample in order, needs no range at all.
            if first <= durable.saturating_add(1) {
                durable = durable.max(last);
            } else {
                ahead.insert(first, last);
            }
        }
        let durable = ahead.contiguous_from(durable);
        if durable > before {
            self.durable_seq.store(durable, Ordering::Release);
            if self.ack_is_due(durable) {
                self.mailbox.wake();
            }
        }
    }

    fn ack_is_due(&self, durable: u64) -> bool {
        let acknowledged = self.acknowledged_seq.load(Ordering::Acquire);
        self.acks.load(Ordering::Relaxed) < PROMPT_ACKS
            || acknowledged < self.wanted_seq.load(Ordering::Acquire)
            || durable.saturating_sub(acknowledged) >= SAMPLES_PER_ACK
    }

    /// Asks for an acknowledgement up to `seq` as soon as that is durable.
    pub fn want_ack(&self, seq: u64) {
        self.wanted_seq.fetch_max(seq, Ordering::AcqRel);
    }

    /// What to acknowledge now: what is durable and was not acknowledged, when that is due or `in_any_case`.
    pub fn take_ack(&self, in_any_case: bool) -> Option<u64> {
        let durable = self.durable_seq();
        if durable <= self.acknowledged_seq.load(Ordering::Acquire) {
            return None;
        }
        if !in_any_case && !self.ack_is_due(durable) {
            return None;
        }
        self.acknowledged_seq.store(durable, Ordering::Release);
        self.acks.fetch_add(1, Ordering::Relaxed);
        Some(durable)
    }

    /// Asks the host; the session sends the question, and the receiver gets the answer.
    ///
    /// # Errors
    /// When the host has as many questions to answer as it may have.
    pub(super) fn ask(
        &self,
        question: Question,
    ) -> Result<(u64, oneshot::Receiver<Answer>), TooManyQuestions> {
        let asked = self.questions.lock().get_or_insert_default().ask(question)?;
        self.mailbox.wake();
        Ok(asked)
    }

    /// Stops waiting for an answer.
    pub(super) fn give_up(&self, request_id: u64) {
        if let Some(questions) = &mut *self.questions.lock() {
            questions.give_up(request_id);
        }
    }

    /// Questions that the session has to send.
    pub fn take_requests(&self) -> Vec<Request> {
        let mut questions = self.questions.lock();
        questions
            .as_mut()
            .map_or_else(Vec::new, |questions| questions.take())
    }

    /// Takes an answer of the host; one that nobody waits for is skipped.
    pub fn answered(&self, answer: Answer) {
        if let Some(questions) = &mut *self.questions.lock() {
            questions.answered(answer);
        }
    }

    /// Highest `seq` such that all up to it are durable.
    pub fn durable_seq(&self) -> u64 {
        self.durable_seq.load(Ordering::Acquire)
    }

    /// Notes that samples of this connection were left out of the writer's queue.
    pub fn note_left_out(&self) {
        self.replay_needed.store(true, Ordering::Release);
    }

    /// Notes that a frame came.
    pub fn note_heard(&self) {
        self.heard.fetch_add(1, Ordering::Relaxed);
    }

    /// How many frames came.
    pub(super) fn heard(&self) -> u64 {
        self.heard.load(Ordering::Relaxed)
    }

    /// Asks the session for a ping now.
    pub(super) fn ask_for_proof(&self) {
        self.proof_wanted.store(true, Ordering::Relaxed);
        self.mailbox.wake();
    }

    /// Whether a ping was asked for since the last call.
    pub fn take_proof_wanted(&self) -> bool {
        self.proof_wanted.swap(false, Ordering::Relaxed)
    }

    /// Notes that the session has ended.
    pub fn note_ended(&self) {
        self.ended.store(true, Ordering::Release);
        // Whoever waits for an answer hears that none will come.
        *self.questions.lock() = None;
    }

    /// Whether the session has ended.
    pub fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// Whether samples were left out.
    pub fn was_left_out(&self) -> bool {
        self.replay_needed.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link() -> Arc<HostLink> {
        HostLink::new(ApiKeyId("k".into()), None)
    }

    #[test]
    fn an_acknowledgement_never_passes_a_hole() {
        let link = link();
        link.resume(10, SeqRanges::default());
        link.settle([(13, 15)]);
        assert_eq!(link.durable_seq(), 10);
        link.settle([(11, 11)]);
        assert_eq!(link.durable_seq(), 11);
        link.settle([(12, 12)]);
        assert_eq!(link.durable_seq(), 15);
    }

    #[test]
    fn the_first_samples_are_acknowledged_one_by_one_and_later_ones_together() {
        let link = link();
        for seq in 1..=PROMPT_ACKS {
            link.settle([(seq, seq)]);
            assert_eq!(link.take_ack(false), Some(seq));
        }
        for seq in PROMPT_ACKS + 1..PROMPT_ACKS + SAMPLES_PER_ACK {
            link.settle([(seq, seq)]);
            assert_eq!(link.take_ack(false), None);
        }
        let last = PROMPT_ACKS + SAMPLES_PER_ACK;
        link.settle([(last, last)]);
        assert_eq!(link.take_ack(false), Some(last));
        assert_eq!(link.take_ack(true), None, "nothing new");
    }

    #[test]
    fn a_host_that_asks_is_acknowledged_as_soon_as_it_can_be() {
        let link = link();
        link.settle([(1, 100)]);
        for _ in 0..PROMPT_ACKS {
            link.take_ack(true);
            let next = link.durable_seq() + 1;
            link.settle([(next, next)]);
        }
        link.take_ack(true);
        let next = link.durable_seq() + 1;
        link.want_ack(next);
        assert_eq!(link.take_ack(false), None, "it is not durable yet");
        link.settle([(next, next)]);
        assert_eq!(link.take_ack(false), Some(next));
    }

    #[test]
    fn every_close_reason_fits_a_close_frame() {
        for reason in [
            CloseReason::GoingAway,
            CloseReason::ReplayNeeded,
            CloseReason::KeyRevoked,
        ] {
            assert!(reason.sentence().len() <= 123);
        }
    }

    #[test]
    fn the_first_reason_to_close_stays() {
        let mailbox = Mailbox::default();
        mailbox.close(CloseReason::KeyRevoked);
        mailbox.close(CloseReason::GoingAway);
        assert_eq!(mailbox.closing(), Some(CloseReason::KeyRevoked));
    }
}
