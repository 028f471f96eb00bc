//! Listens in on a host's connection: which samples it sent, and what it was told is durable.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use metric_flow_protocol::{
    codec::decode,
    metrics::Sample,
    node::{NodeBody, NodeMessage, ServerBody, ServerMessage},
    version::NodeEncoding,
};

use crate::frames::Frames;

/// What passed between one host and the server, over all its connections.
#[derive(Debug, Default, Clone)]
pub struct Passed {
    /// By numbering.
    pub epochs: BTreeMap<String, PassedEpoch>,
    /// The numbering of the newest hello.
    pub last_epoch: String,
    /// What must never happen on a wire, in words.
    pub wrong: Vec<String>,
}

/// What passed of one numbering.
#[derive(Debug, Default, Clone)]
pub struct PassedEpoch {
    /// Samples that left the host, each once, by number.
    pub sent: BTreeMap<u64, Sample>,
    /// The server said that all up to this one are durable, whether or not the host heard it.
    pub acknowledged: u64,
}

/// The account of one host, shared by all its connections.
#[derive(Debug, Default, Clone)]
pub struct Account(Arc<Mutex<Passed>>);

impl Account {
    /// All that passed so far.
    pub fn passed(&self) -> Passed {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Passed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection.
#[derive(Debug, Clone)]
pub struct Tap(Arc<Mutex<Listening>>);

#[derive(Debug, Default)]
struct Listening {
    account: Account,
    up: Frames,
    down: Frames,
    epoch: String,
}

impl Tap {
    /// Listens in on a connection that begins now.
    pub fn new(account: Account) -> Self {
        let listening = Listening {
            account,
            ..Listening::default()
        };
        Self(Arc::new(Mutex::new(listening)))
    }

    /// These bytes left the host, whatever becomes of them.
    pub fn sent(&self, bytes: &[u8]) {
        let mut listening = self.lock();
        for payload in listening.up.feed(bytes) {
            match decode::<NodeMessage>(NodeEncoding::Protobuf, &payload) {
                Ok(message) => listening.take_sent(message),
                Err(error) => listening.wrong(format!("the host sent no message: {error}")),
            }
        }
    }

    /// These bytes left the server, whatever becomes of them.
    pub fn answered(&self, bytes: &[u8]) {
        let mut listening = self.lock();
        for payload in listening.down.feed(bytes) {
            match decode::<ServerMessage>(NodeEncoding::Protobuf, &payload) {
                Ok(message) => listening.take_answered(message),
                Err(error) => listening.wrong(format!("the server sent no message: {error}")),
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Listening> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listening {
    fn take_sent(&mut self, message: NodeMessage) {
        match message.body {
            Some(NodeBody::Hello(hello)) => {
                self.account.lock().last_epoch.clone_from(&hello.epoch);
                self.epoch = hello.epoch;
            }
            Some(NodeBody::Batch(batch)) => {
                let mut passed = self.account.lock();
                let of_epoch = passed.epochs.entry(batch.epoch).or_default();
                let mut changed = Vec::new();
                for sample in batch.samples {
                    let seq = sample.seq;
                    let before = of_epoch.sent.entry(seq).or_insert_with(|| sample.clone());
                    if *before != sample {
                        changed.push(seq);
                    }
                }
                let changed = changed.into_iter();
                let changed = changed.map(|seq| format!("number {seq} was sent with two contents"));
                passed.wrong.extend(changed);
            }
            _ => {}
        }
    }

    fn take_answered(&mut self, message: ServerMessage) {
        let (epoch, seq) = match message.body {
            Some(ServerBody::HelloAck(answer)) => (self.epoch.clone(), answer.durable_seq),
            Some(ServerBody::Ack(ack)) => (ack.epoch, ack.seq),
            _ => return,
        };
        let mut passed = self.account.lock();
        let of_epoch = passed.epochs.entry(epoch).or_default();
        of_epoch.acknowledged = of_epoch.acknowledged.max(seq);
    }

    fn wrong(&self, what: String) {
        self.account.lock().wrong.push(what);
    }
}
