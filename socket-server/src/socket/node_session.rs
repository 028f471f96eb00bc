//! One host's connection: hello, batches in, acknowledgements out.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use hyper::upgrade::OnUpgrade;
use metric_flow_protocol::{
    codec::{self, Frame},
    node::{Ack, Batch, Hello, HelloAck, NodeBody, NodeMessage, ServerBody, ServerMessage},
    version::{NodeEncoding, PROTOCOL_MAJOR, PROTOCOL_MINOR, check_major},
};
use tokio_tungstenite::tungstenite::Message;

use super::{
    peer::{CLOSE_TOO_LARGE, Incoming, Peer, SocketError},
    rate::Bucket,
};
use crate::{
    clock::now_unix_ms,
    fleet::{Fleet, HostLink, JoinError, Joined, confine},
    listen::ConnectionPermit,
    store::ApiKey,
    telemetry::Telemetry,
};

/// How long a connection may be open without a hello.
const HELLO_DEADLINE: Duration = Duration::from_secs(10);
/// Samples that one batch may hold, as the hello's answer says: with a large host's two hundred bytes each they
/// stay well below the cap of a frame.
const BATCH_SAMPLES_MAX: u32 = 100;
/// Replayed samples that the server wants in a second, as the hello's answer says: an hour comes back in seconds.
const REPLAY_SAMPLES_PER_SECOND: u32 = 1_000;
/// Samples that a connection may send in a second, live and replayed: twice what it was told.
const SAMPLES_PER_SECOND: f32 = 2_000.0;
const SAMPLES_BURST: f32 = 10_000.0;
/// Frames that a connection may send in a second: a sample ten times a second, each in a frame, with room.
const FRAMES_PER_SECOND: f32 = 50.0;
const FRAMES_BURST: f32 = 500.0;

/// Highest sequence number: stores keep signed integers of 64 bits.
const SEQ_MAX: u64 = i64::MAX as u64;

/// RFC 6455 §7.4.1: the peer sent what its subprotocol does not allow.
const CLOSE_PROTOCOL: u16 = 1002;
/// The peer sent a kind of frame that is not spoken here.
const CLOSE_UNSUPPORTED: u16 = 1003;
/// The peer sends more than it may.
const CLOSE_POLICY: u16 = 1008;
/// The server cannot serve it now: try again later.
const CLOSE_TRY_LATER: u16 = 1013;

/// Why a session ends on our side.
struct Goodbye {
    code: u16,
    reason: String,
}

enum End {
    Goodbye(Goodbye),
    /// The peer closed, or the connection broke.
    Gone,
}

impl From<SocketError> for End {
    fn from(error: SocketError) -> Self {
        if matches!(error, SocketError::TooLarge) {
            return goodbye(CLOSE_TOO_LARGE, error.to_string());
        }
        tracing::debug!(%error, "a host's connection broke");
        Self::Gone
    }
}

fn goodbye(code: u16, reason: impl Into<String>) -> End {
    End::Goodbye(Goodbye {
        code,
        reason: reason.into(),
    })
}

/// What a host's session begins with.
pub struct NodeStart {
    /// The hosts and who watches them.
    pub fleet: Arc<Fleet>,
    /// The server's own counters.
    pub telemetry: Arc<Telemetry>,
    /// The connection, once the answer to its handshake is sent.
    pub on_upgrade: OnUpgrade,
    /// How its frames are encoded.
    pub encoding: NodeEncoding,
    /// The key that it logged in with.
    pub key: ApiKey,
    /// Keeps the connection counted.
    pub permit: Arc<ConnectionPermit>,
}

/// Serves one host until either side ends the connection.
///
/// What only the start, a frame or the end needs is on the heap while it is needed, so that ten thousand idle
/// sessions do not carry it.
pub async fn run_node_session(start: Box<NodeStart>) {
    let Some(mut session) = Box::pin(open(start)).await else {
        return;
    };
    let end = session.run().await;
    Box::pin(session.end(end)).await;
}

/// Takes the socket over and waits for the hello.
async fn open(start: Box<NodeStart>) -> Option<NodeSession> {
    let NodeStart {
        fleet,
        telemetry,
        on_upgrade,
        encoding,
        key,
        permit,
    } = *start;
    let mut peer = match Peer::open(on_upgrade).await {
        Ok(peer) => peer,
        Err(error) => {
            tracing::debug!(%error, "a host's upgrade failed");
            return None;
        }
    };
    match greet(&fleet, &mut peer, encoding, key).await {
        Ok(joined) => {
            let now = Instant::now();
            Some(NodeSession {
                fleet,
                telemetry,
                peer,
                encoding,
                received_seq: 0,
                confined: false,
                joined,
                frames: Bucket::new(FRAMES_PER_SECOND, FRAMES_BURST, now),
                samples: Bucket::new(SAMPLES_PER_SECOND, SAMPLES_BURST, now),
                _permit: permit,
            })
        }
        Err(end) => {
            part(peer, end).await;
            None
        }
    }
}

async fn part(peer: Peer, end: End) {
    if let End::Goodbye(goodbye) = end {
        peer.close(goodbye.code, &goodbye.reason).await;
    }
}

async fn greet(
    fleet: &Arc<Fleet>,
    peer: &mut Peer,
    encoding: NodeEncoding,
    key: ApiKey,
) -> Result<Joined, End> {
    let hello = tokio::time::timeout(HELLO_DEADLINE, read_hello(peer, encoding))
        .await
        .map_err(|_| goodbye(CLOSE_POLICY, "no hello came in time"))??;
    check_major(hello.protocol_major).map_err(|error| goodbye(CLOSE_PROTOCOL, error.to_string()))?;
    let link = HostLink::new(key.id, key.expires_unix_ms);
    let joined = fleet
        .join(&key.account, hello, link)
        .await
        .map_err(|error| match error {
            JoinError::BadHello(reason) => goodbye(CLOSE_PROTOCOL, reason),
            JoinError::Store(error) => {
                tracing::warn!(%error, "a host cannot join: the store fails");
                goodbye(CLOSE_TRY_LATER, "the store is unavailable: try again later")
            }
        })?;
    let answer = ServerBody::HelloAck(HelloAck {
        protocol_major: PROTOCOL_MAJOR,
        protocol_minor: PROTOCOL_MINOR,
        host_id: joined.host.0.clone(),
        durable_seq: joined.link.durable_seq(),
        server_unix_ms: now_unix_ms(),
        batch_samples_max: BATCH_SAMPLES_MAX,
        replay_samples_per_second: REPLAY_SAMPLES_PER_SECOND,
    });
    if let Err(end) = send(peer, encoding, answer).await {
        joined.link.note_ended();
        fleet.leave(&joined).await;
        return Err(end);
    }
    Ok(joined)
}

async fn read_hello(peer: &mut Peer, encoding: NodeEncoding) -> Result<Hello, End> {
    loop {
        match read(peer.next().await?, encoding)? {
            Some(NodeBody::Hello(hello)) => return Ok(hello),
            Some(_) => return Err(goodbye(CLOSE_PROTOCOL, "the first message must be a hello")),
            None => {}
        }
    }
}

/// What a frame says; `None` for control frames and for messages that this build does not know.
fn read(incoming: Incoming, encoding: NodeEncoding) -> Result<Option<NodeBody>, End> {
    let decoded = match (&incoming, encoding) {
        (Incoming::Control, _) => return Ok(None),
        (Incoming::Closed, _) => return Err(End::Gone),
        (Incoming::Binary(bytes), NodeEncoding::Protobuf) => codec::decode::<NodeMessage>(encoding, bytes),
        (Incoming::Text(text), NodeEncoding::Json) => codec::decode::<NodeMessage>(encoding, text.as_bytes()),
        (Incoming::Binary(_), NodeEncoding::Json) => {
            return Err(goodbye(
                CLOSE_UNSUPPORTED,
                "this subprotocol has text frames only",
            ));
        }
        (Incoming::Text(_), NodeEncoding::Protobuf) => {
            return Err(goodbye(
                CLOSE_UNSUPPORTED,
                "this subprotocol has binary frames only",
            ));
        }
    };
    decoded
        .map(|message| message.body)
        .map_err(|error| goodbye(CLOSE_PROTOCOL, error.to_string()))
}

async fn send(peer: &mut Peer, encoding: NodeEncoding, body: ServerBody) -> Result<(), End> {
    let message = match codec::encode(encoding, &ServerMessage { body: Some(body) }) {
        Ok(Frame::Binary(bytes)) => Message::binary(bytes),
        Ok(Frame::Text(text)) => Message::text(text),
        Err(error) => {
            tracing::error!(%error, "an answer to a host cannot be encoded");
            return Err(goodbye(1011, "the server failed to encode an answer"));
        }
    };
    Ok(peer.send(message).await?)
}

struct NodeSession {
    fleet: Arc<Fleet>,
    telemetry: Arc<Telemetry>,
    peer: Peer,
    encoding: NodeEncoding,
    joined: Joined,
    /// Highest `seq` that came.
    received_seq: u64,
    /// The host was told of in the log for readings that no store could keep.
    confined: bool,
    frames: Bucket,
    samples: Bucket,
    _permit: Arc<ConnectionPermit>,
}

impl NodeSession {
    async fn run(&mut self) -> End {
        loop {
            let turn = tokio::select! {
                incoming = self.peer.next() => match incoming {
                    Ok(incoming) => Box::pin(self.heard(incoming)).await,
                    Err(error) => Err(error.into()),
                },
                () = self.joined.link.mailbox.woken() => Box::pin(self.woken()).await,
            };
            if let Err(end) = turn {
                return end;
            }
        }
    }

    async fn end(self, end: End) {
        self.joined.link.note_ended();
        self.fleet.leave(&self.joined).await;
        part(self.peer, end).await;
    }

    async fn heard(&mut self, incoming: Incoming) -> Result<(), End> {
        self.joined.link.note_heard();
        let now = Instant::now();
        if !self.frames.take(1.0, now) {
            return Err(goodbye(
                CLOSE_POLICY,
                "too many messages: send at most 50 a second",
            ));
        }
        if matches!(incoming, Incoming::Control) {
            // A host that pings wants to know where it stands.
            self.joined.link.want_ack(self.received_seq);
            return self.acknowledge(false).await;
        }
        match read(incoming, self.encoding)? {
            Some(NodeBody::Batch(batch)) => self.take_batch(batch, now).await,
            Some(NodeBody::Hello(_)) => Err(goodbye(CLOSE_PROTOCOL, "a second hello on one connection")),
            Some(NodeBody::Answer(answer)) => {
                self.joined.link.answered(answer);
                Ok(())
            }
            // A message that this build does not know is skipped.
            None => Ok(()),
        }
    }

    async fn take_batch(&mut self, mut batch: Batch, now: Instant) -> Result<(), End> {
        if batch.epoch != self.joined.epoch {
            return Err(goodbye(
                CLOSE_PROTOCOL,
                "the batch is of another epoch than the hello",
            ));
        }
        let seqs = || batch.samples.iter().map(|sample| sample.seq);
        if seqs().any(|seq| seq == 0) {
            return Err(goodbye(CLOSE_PROTOCOL, "a sample has no seq: they begin at 1"));
        }
        let lost = batch.dropped.iter().map(|dropped| dropped.last_seq);
        if seqs().chain(lost).any(|seq| seq > SEQ_MAX) {
            return Err(goodbye(CLOSE_PROTOCOL, "a seq is above 2^63 - 1"));
        }
        let newest_seq = seqs().max().unwrap_or(0);
        if !self.samples.take(batch.samples.len() as f32, now) {
            return Err(goodbye(
                CLOSE_POLICY,
                "too many samples: keep to replay_samples_per_second",
            ));
        }
        self.telemetry.samples_received.inc_by(batch.samples.len() as u64);
        self.received_seq = self.received_seq.max(newest_seq);
        let confined = confine(&mut batch.samples);
        if confined > 0 {
            self.telemetry.readings_confined.inc_by(confined as u64);
            if !std::mem::replace(&mut self.confined, true) {
                let host = &self.joined.host;
                tracing::warn!(%host, "a reading is above 2^63 - 1, more than is kept: it is set to that");
            }
        }
        self.fleet.ingest(&self.joined, batch).await;
        Ok(())
    }

    async fn woken(&mut self) -> Result<(), End> {
        let probe = self.joined.link.mailbox.take_probe();
        let closing = self.joined.link.mailbox.closing();
        // With a probe, and before an end, goes what no later sample has brought along.
        self.acknowledge(probe || closing.is_some()).await?;
        let link = &self.joined.link;
        if let Some(reason) = closing {
            return Err(goodbye(reason.code(), reason.sentence()));
        }
        if link.take_proof_wanted() {
            self.peer.ping().await?;
        }
        for request in link.take_requests() {
            send(&mut self.peer, self.encoding, ServerBody::Request(request)).await?;
        }
        if probe && !self.peer.probe().await? {
            return Err(End::Gone);
        }
        Ok(())
    }

    async fn acknowledge(&mut self, in_any_case: bool) -> Result<(), End> {
        let Some(seq) = self.joined.link.take_ack(in_any_case) else {
            return Ok(());
        };
        let ack = Ack {
            epoch: self.joined.epoch.clone(),
            seq,
        };
        send(&mut self.peer, self.encoding, ServerBody::Ack(ack)).await
    }
}
