//! One connection: hello, live samples, the past, acknowledgements, questions.

use std::time::{Duration, Instant};

use futures_util::{SinkExt as _, StreamExt as _};
use metric_flow_lifecycle::now_unix_ms;
use metric_flow_protocol::{
    codec::{Frame, decode, encode},
    metrics::Sample,
    node::{Answer, Batch, Hello, NodeBody, NodeMessage, Question, Request, ServerBody, ServerMessage},
    version::{NodeEncoding, PROTOCOL_MAJOR, PROTOCOL_MINOR, check_major},
};
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{sleep_until, timeout},
};
use tokio_tungstenite::tungstenite::{
    Bytes, Message, protocol::CloseFrame, protocol::frame::coding::CloseCode,
};
use tokio_util::sync::CancellationToken;

use super::{
    connect::Socket,
    link::{Link, Uplink},
    outgoing::Outgoing,
    pace::Pace,
    trouble::Trouble,
};
use crate::answer::answer;

/// How long the server may take for its answer to the hello.
const HELLO_DEADLINE: Duration = Duration::from_secs(15);

/// How often a ping asks whether the server is there; routers forget silent connections after half a minute or more.
const PING_EVERY: Duration = Duration::from_secs(15);

/// A server that has said nothing for this long, two pings and more, is gone.
const SILENCE_MAX: Duration = Duration::from_secs(40);

/// Longest that one frame may wait for the network.
const SEND_DEADLINE: Duration = Duration::from_secs(20);

/// A server that acknowledges nothing for this long, with samples on their way, gets them again.
const SEND_AGAIN_AFTER: Duration = Duration::from_secs(90);

/// Longest time for the last samples and their acknowledgement, within the three seconds that the program has.
const LEAVE_WITHIN: Duration = Duration::from_millis(2000);

/// Samples that are still sent at the end although they are on disk as well.
const LEAVE_SAMPLES_MAX: u64 = 1000;

/// Samples in a batch when the server does not say.
const BATCH_SAMPLES_DEFAULT: usize = 50;

/// Bytes of samples in a batch: half a frame, so that losses and the rest fit too.
const BATCH_BYTES_MAX: usize = 32 * 1024;

/// Questions that are answered at a time; more are refused.
const ANSWERS_MAX: usize = 2;

/// An open connection that the server has accepted.
pub(super) struct Session<'a> {
    uplink: &'a Uplink,
    socket: Socket,
    epoch: String,
    outgoing: Outgoing,
    pace: Pace,
    batch_max: usize,
    reported_changes: Option<u64>,
    heard_at: Instant,
    settled_at: Instant,
    answers: JoinSet<Answer>,
}

impl<'a> Session<'a> {
    /// Says hello and takes the server's answer.
    pub(super) async fn greet(uplink: &'a Uplink, mut socket: Socket) -> Result<Self, Trouble> {
        let hello = {
            let spool = uplink.shared.spool();
            Hello {
                protocol_major: PROTOCOL_MAJOR,
                protocol_minor: PROTOCOL_MINOR,
                machine_identity: uplink.machine_identity.clone(),
                epoch: spool.epoch().to_owned(),
                acknowledged_seq: spool.acknowledged(),
                facts: Some(uplink.facts.clone()),
                labels: uplink.labels.clone(),
                sent_unix_ms: now_unix_ms(),
            }
        };
        let epoch = hello.epoch.clone();
        send(&mut socket, NodeBody::Hello(hello)).await?;
        let answer = timeout(HELLO_DEADLINE, async {
            loop {
                if let Some(ServerBody::HelloAck(answer)) = receive(&mut socket).await? {
                    return Ok::<_, Trouble>(answer);
                }
            }
        });
        let answer = answer.await.map_err(|_| Trouble::Silent {
            seconds: HELLO_DEADLINE.as_secs(),
        })??;
        check_major(answer.protocol_major)?;
        let outgoing = {
            let mut spool = uplink.shared.spool();
            spool.agree(answer.durable_seq, now_unix_ms());
            Outgoing::new(spool.acknowledged(), spool.last_seq())
        };
        tracing::info!(host_id = answer.host_id, "connected to {}", uplink.endpoint.host);
        uplink.shared.set_link(Link {
            connected: true,
            problem: String::new(),
        });
        let batch_max = match answer.batch_samples_max {
            0 => BATCH_SAMPLES_DEFAULT,
            given => usize::try_from(given).unwrap_or(BATCH_SAMPLES_DEFAULT),
        };
        let now = Instant::now();
        Ok(Self {
            uplink,
            socket,
            epoch,
            outgoing,
            pace: Pace::new(answer.replay_samples_per_second, batch_max, now),
            batch_max,
            reported_changes: None,
            heard_at: now,
            settled_at: now,
            answers: JoinSet::new(),
        })
    }

    /// Sends and listens until the connection ends, or `shutdown` is cancelled and the leave is taken.
    pub(super) async fn run(
        mut self,
        live: &mut mpsc::Receiver<Sample>,
        shutdown: &CancellationToken,
    ) -> Result<(), Trouble> {
        let mut ping_at = Instant::now() + PING_EVERY;
        loop {
            let replay = self.outgoing.next_replay().is_some();
            let replay_at = self.pace.next_at();
            tokio::select! {
                biased;
                () = shutdown.cancelled() => {
                    // What happens here is said in the log only: the spool has all of it.
                    if timeout(LEAVE_WITHIN, Box::pin(self.leave(live))).await.is_err() {
                        tracing::debug!("the server did not acknowledge the last samples in time");
                    }
                    return Ok(());
                }
                body = receive(&mut self.socket) => self.hear(body?).await?,
                Some(sample) = live.recv() => self.send_live(sample, live).await?,
                Some(answer) = self.answers.join_next() => {
                    if let Ok(answer) = answer {
                        self.send_answer(answer).await?;
                    }
                }
                () = sleep_until(replay_at.into()), if replay => self.send_past().await?,
                () = sleep_until(ping_at.into()) => {
                    self.keep_alive().await?;
                    ping_at = Instant::now() + PING_EVERY;
                }
            }
        }
    }

    async fn hear(&mut self, body: Option<ServerBody>) -> Result<(), Trouble> {
        self.heard_at = Instant::now();
        match body {
            Some(ServerBody::Ack(ack)) if ack.epoch == self.epoch => {
                self.settled_at = self.heard_at;
                self.uplink.shared.spool().acknowledge(ack.seq);
                self.outgoing.acknowledge(ack.seq);
            }
            Some(ServerBody::Request(request)) => self.take_request(request).await?,
            // A ping or pong, a message of a newer server, or one that is out of place.
            _ => {}
        }
        Ok(())
    }

    async fn send_live(&mut self, first: Sample, live: &mut mpsc::Receiver<Sample>) -> Result<(), Trouble> {
        if !self.outgoing.is_unsettled() {
            self.settled_at = Instant::now();
        }
        let mut samples = Vec::with_capacity(1);
        let mut next = Some(first);
        while let Some(sample) = next {
            if self.outgoing.live(sample.seq) {
                samples.push(sample);
            }
            next = if samples.len() < self.batch_max.min(8) {
                live.try_recv().ok()
            } else {
                None
            };
        }
        if samples.is_empty() {
            return Ok(());
        }
        self.send_batch(samples).await
    }

    async fn send_past(&mut self) -> Result<(), Trouble> {
        let Some((first, through)) = self.outgoing.next_replay() else {
            return Ok(());
        };
        let samples = self
            .uplink
            .shared
            .spool()
            .read(first - 1, through, self.pace.batch(), BATCH_BYTES_MAX);
        // Nothing left means that the rest of this stretch is lost, and reported as that.
        let sent_through = samples.last().map_or(through, |sample| sample.seq);
        self.pace.sent(samples.len(), Instant::now());
        self.outgoing.replayed(sent_through);
        self.send_batch(samples).await
    }

    /// Sends samples, and the losses that the server has not been told on this connection.
    async fn send_batch(&mut self, samples: Vec<Sample>) -> Result<(), Trouble> {
        let dropped = {
            let spool = self.uplink.shared.spool();
            let changes = spool.drops().changes();
            if self.reported_changes == Some(changes) {
                Vec::new()
            } else {
                self.reported_changes = Some(changes);
                spool.unreported()
            }
        };
        if samples.is_empty() && dropped.is_empty() {
            return Ok(());
        }
        let batch = Batch {
            epoch: self.epoch.clone(),
            samples,
            dropped,
            sent_unix_ms: now_unix_ms(),
        };
        send(&mut self.socket, NodeBody::Batch(batch)).await
    }

    async fn keep_alive(&mut self) -> Result<(), Trouble> {
        let now = Instant::now();
        let silence = now.saturating_duration_since(self.heard_at);
        if silence > SILENCE_MAX {
            return Err(Trouble::Silent {
                seconds: silence.as_secs(),
            });
        }
        if self.outgoing.is_unsettled() && now.saturating_duration_since(self.settled_at) > SEND_AGAIN_AFTER {
            tracing::debug!("the server acknowledges nothing: sending again what waits");
            self.settled_at = now;
            self.reported_changes = None;
            self.outgoing.send_again();
        }
        write(&mut self.socket, Message::Ping(Bytes::new())).await
    }

    async fn take_request(&mut self, request: Request) -> Result<(), Trouble> {
        let request_id = request.request_id;
        if self.answers.len() >= ANSWERS_MAX {
            let error = "this host is answering other questions: ask again".to_owned();
            return self
                .send_answer(Answer {
                    request_id,
                    json: String::new(),
                    error,
                })
                .await;
        }
        let question = Question::try_from(request.question).unwrap_or(Question::Unknown);
        let root = self.uplink.host_root.clone();
        self.answers
            .spawn_blocking(move || match answer(&root, question) {
                Ok(json) => Answer {
                    request_id,
                    json,
                    error: String::new(),
                },
                Err(error) => Answer {
                    request_id,
                    json: String::new(),
                    error: error.to_string(),
                },
            });
        Ok(())
    }

    async fn send_answer(&mut self, answer: Answer) -> Result<(), Trouble> {
        send(&mut self.socket, NodeBody::Answer(answer)).await
    }

    /// Sends what waits, hears that it is durable, and closes.
    async fn leave(&mut self, live: &mut mpsc::Receiver<Sample>) -> Result<(), Trouble> {
        // The recorder ends too; when it has, the channel is closed.
        while let Some(sample) = live.recv().await {
            self.send_live(sample, live).await?;
        }
        let (waiting, only_in_memory) = {
            let spool = self.uplink.shared.spool();
            (spool.waiting(), spool.problem().is_some())
        };
        if waiting <= LEAVE_SAMPLES_MAX || only_in_memory {
            while self.outgoing.next_replay().is_some() {
                self.send_past().await?;
            }
            if self.outgoing.is_unsettled() {
                // The server gathers acknowledgements; a ping asks for what it has.
                write(&mut self.socket, Message::Ping(Bytes::new())).await?;
            }
            while self.outgoing.is_unsettled() {
                let body = receive(&mut self.socket).await?;
                self.hear(body).await?;
            }
        }
        let goodbye = CloseFrame {
            code: CloseCode::Away,
            reason: "the node-client ends".into(),
        };
        write(&mut self.socket, Message::Close(Some(goodbye))).await?;
        while receive(&mut self.socket).await.is_ok() {}
        Ok(())
    }
}

/// The next message; `None` for a control frame and for a message that this build does not know. May be dropped
/// between two messages without losing one.
async fn receive(socket: &mut Socket) -> Result<Option<ServerBody>, Trouble> {
    let payload = match socket.next().await {
        None => return Err(Trouble::broken("the server hung up")),
        Some(Err(error)) => return Err(Trouble::broken(error)),
        Some(Ok(Message::Binary(payload))) => payload,
        Some(Ok(Message::Close(frame))) => {
            let (code, reason) = frame.map_or((1005, String::new()), |frame| {
                (u16::from(frame.code), frame.reason.to_string())
            });
            return Err(Trouble::from_close(code, &reason));
        }
        Some(Ok(_)) => return Ok(None),
    };
    let message: ServerMessage = decode(NodeEncoding::Protobuf, &payload).map_err(Trouble::broken)?;
    Ok(message.body)
}

async fn send(socket: &mut Socket, body: NodeBody) -> Result<(), Trouble> {
    match encode(NodeEncoding::Protobuf, &NodeMessage { body: Some(body) }) {
        Ok(Frame::Binary(bytes)) => write(socket, Message::Binary(bytes.into())).await,
        Ok(Frame::Text(text)) => write(socket, Message::Text(text.into())).await,
        Err(error) => {
            tracing::warn!("a message is left out: {error}");
            Ok(())
        }
    }
}

async fn write(socket: &mut Socket, message: Message) -> Result<(), Trouble> {
    match timeout(SEND_DEADLINE, socket.send(message)).await {
        Ok(sent) => sent.map_err(Trouble::broken),
        Err(_) => Err(Trouble::Silent {
            seconds: SEND_DEADLINE.as_secs(),
        }),
    }
}
