//! A host as the server sees it.

use std::net::SocketAddr;

use futures_util::{SinkExt as _, StreamExt as _};
use metric_flow_protocol::{
    codec::{self, Frame},
    metrics::{Cpu, Interface, Memory, Sample},
    node::{Ack, Batch, Hello, HelloAck, HostFacts, NodeBody, NodeMessage, ServerBody, ServerMessage},
    version::NodeEncoding,
};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{self, Message, client::IntoClientRequest as _, protocol::CloseFrame},
};

use super::soon;

/// A host with an open connection.
pub(crate) struct TestNode {
    socket: WebSocketStream<TcpStream>,
    encoding: NodeEncoding,
    pub(crate) epoch: String,
    pub(crate) welcome: HelloAck,
}

/// A hello of the machine `identity`.
pub(crate) fn hello(identity: &str, epoch: &str) -> Hello {
    Hello {
        protocol_major: 1,
        machine_identity: identity.to_owned(),
        epoch: epoch.to_owned(),
        facts: Some(HostFacts {
            host_name: format!("host-{identity}"),
            ..HostFacts::default()
        }),
        ..Hello::default()
    }
}

/// A sample whose time follows from its number.
pub(crate) fn sample(seq: u64) -> Sample {
    let time_unix_ms = 1_700_000_000_000 + i64::try_from(seq).expect("small") * 1_000;
    Sample {
        seq,
        time_unix_ms,
        cpu: Some(Cpu {
            used_percent: 12.5,
            ..Cpu::default()
        }),
        memory: Some(Memory {
            total_bytes: 1_000,
            used_bytes: 250,
            ..Memory::default()
        }),
        interfaces: vec![Interface {
            received_bytes_total: seq * 2_000,
            ..Interface::default()
        }],
        ..Sample::default()
    }
}

impl TestNode {
    /// Connects and says hello.
    pub(crate) async fn join(server: SocketAddr, key: &str, hello: Hello) -> Self {
        Self::join_with(server, key, hello, NodeEncoding::Protobuf).await
    }

    pub(crate) async fn join_with(
        server: SocketAddr,
        key: &str,
        hello: Hello,
        encoding: NodeEncoding,
    ) -> Self {
        let mut node = Self::open(server, key, encoding).await.expect("accepted");
        node.epoch.clone_from(&hello.epoch);
        node.say(NodeBody::Hello(hello)).await;
        match node.listen().await {
            Ok(ServerBody::HelloAck(welcome)) => node.welcome = welcome,
            other => panic!("the hello was answered with {other:?}"),
        }
        node
    }

    /// Connects without a hello.
    pub(crate) async fn open(
        server: SocketAddr,
        key: &str,
        encoding: NodeEncoding,
    ) -> Result<Self, tungstenite::Error> {
        Self::open_behind(server, key, encoding, None).await
    }

    /// Connects as a proxy does for the host at an address.
    pub(crate) async fn open_behind(
        server: SocketAddr,
        key: &str,
        encoding: NodeEncoding,
        address: Option<&str>,
    ) -> Result<Self, tungstenite::Error> {
        let mut request = format!("ws://{server}/api/v1/node").into_client_request()?;
        let headers = request.headers_mut();
        headers.insert(
            "authorization",
            format!("Bearer {key}").parse().expect("a header"),
        );
        headers.insert(
            "sec-websocket-protocol",
            encoding.subprotocol().parse().expect("a header"),
        );
        if let Some(address) = address {
            headers.insert("x-forwarded-for", address.parse().expect("a header"));
        }
        let stream = TcpStream::connect(server).await.expect("connected");
        let (socket, _) = soon("the handshake", client_async(request, stream)).await?;
        Ok(Self {
            socket,
            encoding,
            epoch: String::new(),
            welcome: HelloAck::default(),
        })
    }

    /// Sends a message.
    pub(crate) async fn say(&mut self, body: NodeBody) {
        let frame = codec::encode(self.encoding, &NodeMessage { body: Some(body) }).expect("encodes");
        self.send(match frame {
            Frame::Binary(bytes) => Message::binary(bytes),
            Frame::Text(text) => Message::text(text),
        })
        .await
        .expect("sent");
    }

    /// Sends any frame.
    pub(crate) async fn send(&mut self, message: Message) -> Result<(), tungstenite::Error> {
        self.socket.send(message).await
    }

    /// Sends samples of these numbers.
    pub(crate) async fn report(&mut self, seqs: impl IntoIterator<Item = u64>) {
        let samples = seqs.into_iter().map(sample).collect();
        self.report_samples(samples).await;
    }

    pub(crate) async fn report_samples(&mut self, samples: Vec<Sample>) {
        let batch = Batch {
            epoch: self.epoch.clone(),
            samples,
            ..Batch::default()
        };
        self.say(NodeBody::Batch(batch)).await;
    }

    /// The next message, or the reason why there is none.
    pub(crate) async fn listen(&mut self) -> Result<ServerBody, Option<CloseFrame>> {
        loop {
            let message = match soon("a message", self.socket.next()).await {
                Some(Ok(Message::Binary(bytes))) => codec::decode(self.encoding, &bytes),
                Some(Ok(Message::Text(text))) => codec::decode(self.encoding, text.as_bytes()),
                Some(Ok(Message::Close(frame))) => return Err(frame),
                Some(Ok(_)) => continue,
                Some(Err(_)) | None => return Err(None),
            };
            let message: ServerMessage = message.expect("decodes");
            return Ok(message.body.expect("a body"));
        }
    }

    /// Waits until the acknowledgement reaches `seq`.
    pub(crate) async fn acknowledged(&mut self, seq: u64) {
        loop {
            match self.listen().await {
                Ok(ServerBody::Ack(Ack {
                    seq: acknowledged, ..
                })) if acknowledged >= seq => return,
                Ok(_) => {}
                Err(close) => panic!("closed before {seq} was acknowledged: {close:?}"),
            }
        }
    }

    /// Waits for the server's close frame: its code and its words.
    pub(crate) async fn closed(&mut self) -> (u16, String) {
        loop {
            match self.listen().await {
                Ok(_) => {}
                Err(Some(frame)) => return (frame.code.into(), frame.reason.to_string()),
                Err(None) => panic!("the connection broke without a close frame"),
            }
        }
    }
}
