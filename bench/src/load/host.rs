//! A fleet of simulated hosts that send on a fixed schedule, whatever the server does.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::{SinkExt, StreamExt};
use metric_flow_protocol::{
    codec,
    node::{Answer, Batch, NodeBody, NodeMessage, ServerBody, ServerMessage},
    version::NodeEncoding,
};
use tokio::{net::TcpStream, sync::Semaphore, task::JoinSet, time::Instant};
use tokio_tungstenite::{WebSocketStream, tungstenite::Message};
use tokio_util::sync::CancellationToken;

use super::{
    Dialect, LoadError, connect_node,
    dialect::{Event, keep_alive, message},
    sample, simulated_sample,
};

/// Handshakes at once: enough to keep two cores busy, few enough to stay below the listen queue.
const HANDSHAKES_AT_ONCE: usize = 128;

/// What the fleet does.
#[derive(Debug, Clone)]
pub struct FleetPlan {
    /// Where the server listens.
    pub server: SocketAddr,
    /// The key of all the hosts.
    pub api_key: String,
    /// How many hosts.
    pub hosts: usize,
    /// Time between two samples of a host; `None` for hosts that only stay connected.
    pub interval: Option<Duration>,
    /// The epoch of every host.
    pub epoch: String,
    /// How they speak.
    pub dialect: Dialect,
}

/// What the fleet did so far.
#[derive(Debug, Default)]
pub struct LoadCounts {
    /// Samples written to a socket.
    pub sent: AtomicU64,
    /// Samples that the server acknowledged as durable.
    pub acknowledged: AtomicU64,
    /// Samples written more than 100 ms after their time, for want of processor here.
    pub late: AtomicU64,
    /// Hosts whose socket ended early.
    pub broken: AtomicU64,
}

/// A running fleet.
pub struct FleetLoad {
    /// What it did so far.
    pub counts: Arc<LoadCounts>,
    stop: CancellationToken,
    hosts: JoinSet<()>,
}

impl FleetLoad {
    /// Connects every host, then starts to send; returns when all are connected.
    ///
    /// # Errors
    /// When a host cannot connect.
    pub async fn start(plan: FleetPlan) -> Result<Self, LoadError> {
        let mut connecting = JoinSet::new();
        let handshakes = Arc::new(Semaphore::new(HANDSHAKES_AT_ONCE));
        for index in 0..plan.hosts {
            let (plan, handshakes) = (plan.clone(), Arc::clone(&handshakes));
            connecting.spawn(async move {
                let _permit = handshakes.acquire_owned().await;
                let (socket, ack) = connect_node(&plan, index).await?;
                Ok::<_, LoadError>((index, socket, ack.durable_seq))
            });
        }
        let mut connected = Vec::with_capacity(plan.hosts);
        while let Some(joined) = connecting.join_next().await {
            connected.push(joined.map_err(|error| LoadError::Closed(error.to_string()))??);
        }
        let counts = Arc::new(LoadCounts::default());
        let stop = CancellationToken::new();
        let mut hosts = JoinSet::new();
        let start = Instant::now() + Duration::from_millis(200);
        for (index, socket, durable_seq) in connected {
            let host = Host {
                index,
                epoch: plan.epoch.clone(),
                dialect: plan.dialect,
                seq: durable_seq,
                counts: Arc::clone(&counts),
                stop: stop.clone(),
            };
            // Spread over the interval, as hosts with clocks of their own are.
            let first = plan
                .interval
                .map(|interval| start + interval * index as u32 / plan.hosts as u32);
            hosts.spawn(host.run(socket, first, plan.interval));
        }
        Ok(Self { counts, stop, hosts })
    }

    /// Ends every host and waits for them.
    pub async fn stop(mut self) -> Arc<LoadCounts> {
        self.stop.cancel();
        while self.hosts.join_next().await.is_some() {}
        self.counts
    }
}

struct Host {
    index: usize,
    epoch: String,
    dialect: Dialect,
    seq: u64,
    counts: Arc<LoadCounts>,
    stop: CancellationToken,
}

impl Host {
    async fn run(
        mut self,
        mut socket: WebSocketStream<TcpStream>,
        first: Option<Instant>,
        interval: Option<Duration>,
    ) {
        let stop = self.stop.clone();
        if stop
            .run_until_cancelled(self.send_all(&mut socket, first, interval))
            .await
            .is_some()
        {
            self.counts.broken.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Returns only when the socket ended.
    async fn send_all(
        &mut self,
        socket: &mut WebSocketStream<TcpStream>,
        first: Option<Instant>,
        interval: Option<Duration>,
    ) {
        let mut due = first;
        let mut acknowledged = self.seq;
        loop {
            let sleep = async {
                match due {
                    Some(due) => tokio::time::sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = sleep => {
                    let late = due.is_some_and(|due| due.elapsed() > Duration::from_millis(100));
                    due = due.zip(interval).map(|(due, interval)| due + interval);
                    if self.send(socket, late).await.is_err() {
                        return;
                    }
                }
                frame = socket.next() => match frame {
                    Some(Ok(Message::Binary(payload))) => {
                        let replied = match body(&payload) {
                            Some(ServerBody::Ack(ack)) => {
                                let newly = ack.seq.saturating_sub(acknowledged);
                                self.counts.acknowledged.fetch_add(newly, Ordering::Relaxed);
                                acknowledged = acknowledged.max(ack.seq);
                                Ok(())
                            }
                            Some(ServerBody::Request(request)) => answer(socket, request.request_id).await,
                            _ => Ok(()),
                        };
                        if replied.is_err() {
                            return;
                        }
                    }
                    Some(Ok(other)) => {
                        if keep_alive(socket, &other).await.is_err() {
                            return;
                        }
                    }
                    Some(Err(_)) | None => return,
                },
            }
        }
    }

    async fn send(&mut self, socket: &mut WebSocketStream<TcpStream>, late: bool) -> Result<(), LoadError> {
        self.seq += 1;
        let now_unix_ms = sample::now_unix_ms();
        let batch = Batch {
            epoch: self.epoch.clone(),
            samples: vec![simulated_sample(self.index, self.seq, now_unix_ms)],
            dropped: Vec::new(),
            sent_unix_ms: now_unix_ms,
        };
        let message = NodeMessage {
            body: Some(NodeBody::Batch(batch)),
        };
        let frame = codec::encode(NodeEncoding::Protobuf, &message)?;
        self.dialect.send(socket, Event::Batch, frame).await?;
        self.counts.sent.fetch_add(1, Ordering::Relaxed);
        if late {
            self.counts.late.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }
}

fn body(payload: &[u8]) -> Option<ServerBody> {
    codec::decode::<ServerMessage>(NodeEncoding::Protobuf, payload)
        .ok()?
        .body
}

/// People click on simulated hosts too: they are told at once.
async fn answer(socket: &mut WebSocketStream<TcpStream>, request_id: u64) -> Result<(), LoadError> {
    let answer = Answer {
        request_id,
        error: "it is simulated, and has only numbers".to_owned(),
        ..Answer::default()
    };
    let reply = NodeMessage {
        body: Some(NodeBody::Answer(answer)),
    };
    socket
        .send(message(codec::encode(NodeEncoding::Protobuf, &reply)?))
        .await?;
    Ok(())
}
