//! What one peer may take: connections, frames, samples, messages.

use std::net::SocketAddr;

use metric_flow_protocol::{codec::FRAME_BYTES_MAX, node::NodeBody, version::NodeEncoding};
use socket_server::config::{Config, Limits};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Http, TestNode, TestServer, TestViewer, hello, soon, test_config, until};

#[tokio::test]
async fn connections_from_one_address_are_limited_and_counted_while_they_are_sockets() {
    let limits = Limits {
        connections: 100,
        connections_per_address: 8,
    };
    let server = TestServer::with(Config {
        limits,
        ..test_config()
    })
    .await;
    let (_, key) = server.key(&server.account().await).await;
    let mut nodes = Vec::new();
    while let Ok(mut node) = TestNode::open(server.address, &key, NodeEncoding::Protobuf).await {
        let identity = format!("m{}", nodes.len());
        node.say(NodeBody::Hello(hello(&identity, "e1"))).await;
        nodes.push(node);
    }
    assert!(nodes.len() <= 8, "{} sockets from one address", nodes.len());
    drop(nodes);
    until("room again", async || answers(server.address).await).await;
}

/// Whether the server answers a request on a connection of its own.
async fn answers(server: SocketAddr) -> bool {
    let mut stream = TcpStream::connect(server).await.expect("connected");
    let request = b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let mut answer = Vec::new();
    let _ = stream.write_all(request).await;
    let _ = soon("an answer", stream.read_to_end(&mut answer)).await;
    answer.starts_with(b"HTTP/1.1 200")
}

#[tokio::test]
async fn a_frame_over_the_cap_ends_the_connection() {
    let server = TestServer::start().await;
    let (_, key) = server.key(&server.account().await).await;
    let mut node = TestNode::join(server.address, &key, hello("m1", "e1")).await;
    // The server may be gone before all of it is sent.
    let _ = node.send(Message::binary(vec![0; FRAME_BYTES_MAX + 1])).await;
    match node.listen().await {
        Err(Some(frame)) => assert_eq!(u16::from(frame.code), 1009),
        // What was still under way can tear the connection down before the close frame is read.
        Err(None) => {}
        Ok(body) => panic!("answered with {body:?}"),
    }
}

#[tokio::test]
async fn a_host_that_floods_is_closed() {
    let server = TestServer::start().await;
    let (_, key) = server.key(&server.account().await).await;
    let mut node = TestNode::join(server.address, &key, hello("m1", "e1")).await;
    let mut code = None;
    for _ in 0..50_000 {
        if node.send(Message::Ping(Vec::new().into())).await.is_err() {
            break;
        }
    }
    while code.is_none() {
        match node.listen().await {
            Ok(_) => {}
            Err(Some(frame)) => code = Some(u16::from(frame.code)),
            // The close frame can be lost when the flood still runs: the connection ends all the same.
            Err(None) => return,
        }
    }
    assert_eq!(code, Some(1008));
}

#[tokio::test]
async fn a_viewer_that_floods_is_closed() {
    let server = TestServer::start().await;
    let token = server.account().await;
    let mut viewer = TestViewer::watch(&server, &token).await;
    for _ in 0..50_000 {
        if viewer
            .say("{\"type\":\"subscribe\",\"open_hosts\":[]}")
            .await
            .is_err()
        {
            break;
        }
    }
    assert!(matches!(viewer.closed().await, Some(1008) | None));
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let server = TestServer::start().await;
    let mut stream = TcpStream::connect(server.address).await.expect("connected");
    let begun = "POST /api/v1/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{";
    stream.write_all(begun.as_bytes()).await.expect("sent");
    let mut answer = [0; 12];
    soon("an answer", stream.read_exact(&mut answer))
        .await
        .expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 408");
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let server = TestServer::start().await;
    let answer = server
        .send(Http::new("GET", "/healthz").header("x-large", &"x".repeat(100_000)))
        .await;
    assert_eq!(answer.status, 431);
}
