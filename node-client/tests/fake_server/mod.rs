//! A server of the node protocol on a real socket, which misbehaves as a test wants.
#![expect(clippy::result_large_err, reason = "the library's callback has this type")]

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    net::SocketAddr,
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::{SinkExt as _, StreamExt as _};
use http::{HeaderValue, StatusCode, header};
use metric_flow_protocol::{
    codec::{Frame, decode, encode},
    node::{Ack, Dropped, Hello, HelloAck, NodeBody, NodeMessage, ServerBody, ServerMessage},
    version::{NODE_SUBPROTOCOL, NodeEncoding},
};
use node_client::{
    agent,
    config::Config,
    health::{ClientState, read_state},
    host_root::HostRoot,
};
use secrecy::SecretString;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async,
    tungstenite::{
        Message,
        handshake::server::{ErrorResponse, Request, Response},
        protocol::{CloseFrame, frame::coding::CloseCode},
    },
};
use tokio_util::sync::CancellationToken;

/// The key that the server accepts.
pub(crate) const KEY: &str = "mf_goodkey";

/// How the server treats one connection.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Manner {
    /// As it should.
    Serve,
    /// Stores so many batches, acknowledges none of them and hangs up.
    HangUpAfter(usize),
    /// Answers the handshake with a status.
    Refuse(StatusCode),
    /// Closes with a code at the first batch.
    Close(u16),
    /// Speaks another major version.
    Major(u32),
    /// Agrees on no subprotocol.
    NoSubprotocol,
}

/// What the server has seen.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// Numbers stored, by epoch.
    pub(crate) stored: BTreeMap<String, BTreeSet<u64>>,
    /// Losses reported.
    pub(crate) dropped: Vec<Dropped>,
    /// Every hello.
    pub(crate) hellos: Vec<Hello>,
    /// Close codes that clients gave.
    pub(crate) goodbyes: Vec<u16>,
}

impl Ledger {
    /// Highest number up to which nothing is missing.
    pub(crate) fn durable(&self, epoch: &str) -> u64 {
        let Some(stored) = self.stored.get(epoch) else {
            return 0;
        };
        let mut durable = 0;
        while stored.contains(&(durable + 1)) {
            durable += 1;
        }
        durable
    }

    /// The same for the only epoch.
    pub(crate) fn durable_of_all(&self) -> u64 {
        self.stored.keys().map(|epoch| self.durable(epoch)).sum()
    }
}

/// A running server.
#[derive(Debug)]
pub(crate) struct FakeServer {
    pub(crate) address: SocketAddr,
    ledger: Arc<Mutex<Ledger>>,
    connections: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl FakeServer {
    /// Starts one; `manner` tells how each connection is treated, counted from 0.
    pub(crate) async fn start(
        tls: Option<TlsAcceptor>,
        manner: impl Fn(usize) -> Manner + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let ledger = Arc::new(Mutex::new(Ledger::default()));
        let connections = Arc::new(AtomicUsize::new(0));
        let (kept, counted) = (Arc::clone(&ledger), Arc::clone(&connections));
        let task = tokio::spawn(async move {
            let mut serving = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let manner = manner(counted.fetch_add(1, Ordering::SeqCst));
                let (ledger, tls) = (Arc::clone(&kept), tls.clone());
                serving.spawn(async move {
                    match tls {
                        None => serve(stream, manner, &ledger).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, manner, &ledger).await;
                            }
                        }
                    }
                });
            }
        });
        Self {
            address,
            ledger,
            connections,
            task,
        }
    }

    pub(crate) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().expect("a ledger")
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

impl Drop for FakeServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn handshake(manner: Manner, request: &Request, mut response: Response) -> Result<Response, ErrorResponse> {
    let status = match manner {
        Manner::Refuse(status) => Some(status),
        _ => {
            let good = HeaderValue::from_str(&format!("Bearer {KEY}")).expect("a header");
            let given = request.headers().get(header::AUTHORIZATION);
            (given != Some(&good)).then_some(StatusCode::UNAUTHORIZED)
        }
    };
    if let Some(status) = status {
        let body = r#"{"error":{"code":"refused","message":"the test refuses","hint":""}}"#;
        let mut refusal = ErrorResponse::new(Some(body.to_owned()));
        *refusal.status_mut() = status;
        return Err(refusal);
    }
    assert_eq!(request.uri().path(), "/api/v1/node");
    if !matches!(manner, Manner::NoSubprotocol) {
        let spoken = HeaderValue::from_static(NODE_SUBPROTOCOL);
        response
            .headers_mut()
            .insert(header::SEC_WEBSOCKET_PROTOCOL, spoken);
    }
    Ok(response)
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(stream: S, manner: Manner, ledger: &Mutex<Ledger>) {
    let callback = |request: &Request, response: Response| handshake(manner, request, response);
    let Ok(mut socket) = accept_hdr_async(stream, callback).await else {
        return;
    };
    let mut batches = 0;
    let mut epoch = String::new();
    while let Some(Ok(message)) = socket.next().await {
        let payload = match message {
            Message::Binary(payload) => payload,
            Message::Close(Some(frame)) => {
                ledger.lock().expect("a ledger").goodbyes.push(frame.code.into());
                continue;
            }
            _ => continue,
        };
        let message: NodeMessage = decode(NodeEncoding::Protobuf, &payload).expect("a message");
        let answer = match message.body.expect("a body") {
            NodeBody::Hello(hello) => {
                epoch.clone_from(&hello.epoch);
                let mut ledger = ledger.lock().expect("a ledger");
                let durable_seq = ledger.durable(&epoch).max(hello.acknowledged_seq);
                ledger.hellos.push(hello);
                ServerBody::HelloAck(HelloAck {
                    protocol_major: if let Manner::Major(major) = manner {
                        major
                    } else {
                        1
                    },
                    host_id: "h1".to_owned(),
                    durable_seq,
                    batch_samples_max: 20,
                    replay_samples_per_second: 2000,
                    ..HelloAck::default()
                })
            }
            NodeBody::Batch(batch) => {
                if let Manner::Close(code) = manner {
                    let frame = CloseFrame {
                        code: CloseCode::from(code),
                        reason: "the test closes".into(),
                    };
                    let _ = socket.close(Some(frame)).await;
                    continue;
                }
                assert_eq!(batch.epoch, epoch);
                let durable = {
                    let mut ledger = ledger.lock().expect("a ledger");
                    ledger.dropped.extend(batch.dropped);
                    let stored = ledger.stored.entry(epoch.clone()).or_default();
                    stored.extend(batch.samples.iter().map(|sample| sample.seq));
                    ledger.durable(&epoch)
                };
                batches += 1;
                if let Manner::HangUpAfter(most) = manner {
                    if batches >= most {
                        return;
                    }
                    continue;
                }
                ServerBody::Ack(Ack {
                    epoch: epoch.clone(),
                    seq: durable,
                })
            }
            NodeBody::Answer(_) => continue,
        };
        if say(&mut socket, answer).await.is_err() {
            return;
        }
    }
}

async fn say<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocketStream<S>,
    body: ServerBody,
) -> Result<(), ()> {
    let frame = encode(NodeEncoding::Protobuf, &ServerMessage { body: Some(body) }).expect("encode");
    let Frame::Binary(bytes) = frame else {
        return Err(());
    };
    socket.send(Message::Binary(bytes.into())).await.map_err(drop)
}

/// A node-client in this process.
#[derive(Debug)]
pub(crate) struct Client {
    shutdown: CancellationToken,
    task: JoinHandle<Result<(), agent::AgentError>>,
}

impl Client {
    pub(crate) fn start(config: Config) -> Self {
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(agent::run(config, shutdown.clone()));
        Self { shutdown, task }
    }

    /// Tells it to end, and waits.
    pub(crate) async fn end(self) {
        self.shutdown.cancel();
        let ended = tokio::time::timeout(Duration::from_secs(60), self.task).await;
        ended.expect("it ends").expect("no panic").expect("no error");
    }
}

/// A configuration that samples ten times a second.
pub(crate) fn config(server: &str, spool_dir: &Path) -> Config {
    Config {
        hurry: 1,
        server: server.parse().expect("a URL"),
        api_key: SecretString::from(KEY),
        ca_file: None,
        labels: Vec::new(),
        spool_dir: spool_dir.to_owned(),
        spool_bytes_max: 1_000_000,
        host_root: HostRoot::default(),
        interval: Duration::from_millis(100),
        identity_file: Some(spool_dir.join("identity")),
        host_name: Some("test-host".to_owned()),
    }
}

/// Waits until the client's state file says so.
pub(crate) async fn state_until(
    spool_dir: &Path,
    what: &str,
    holds: impl Fn(&ClientState) -> bool,
) -> ClientState {
    let found = Mutex::new(None);
    until(what, || {
        let state = read_state(spool_dir).ok().filter(&holds);
        let holds = state.is_some();
        *found.lock().expect("found") = state;
        async move { holds }
    })
    .await;
    found.into_inner().expect("found").expect("a state")
}

/// Waits until a condition holds.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let waiting = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(120), waiting)
        .await
        .expect(what);
}
