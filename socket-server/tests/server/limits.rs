//! What one peer may take: connections, frames, samples, messages.

use metric_flow_protocol::codec::FRAME_BYTES_MAX;
use socket_server::config::{Config, Limits};
use tokio::{io::AsyncReadExt as _, net::TcpStream};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Http, TestNode, TestServer, TestViewer, hello, soon, test_config, until};

#[tokio::test]
async fn connections_from_one_address_are_limited_and_counted_while_they_are_sockets() {
    let limits = Limits {
        connections: 100,
        connections_per_address: 2,
    };
    let server = TestServer::with(Config {
        limits,
        ..test_config()
    })
    .await;
    let (_, key) = server.key(&server.account().await).await;
    let node = TestNode::join(server.address, &key, hello("m1", "e1")).await;
    let idle = TcpStream::connect(server.address).await.expect("connected");
    // The kernel accepts the third; the server closes it without a word.
    until("a refusal", async || {
        let mut third = TcpStream::connect(server.address).await.expect("connected");
        let mut byte = [0];
        matches!(soon("the end", third.read(&mut byte)).await, Ok(0) | Err(_))
    })
    .await;
    drop((node, idle));
    until("room again", async || {
        let Ok(mut stream) = TcpStream::connect(server.address).await else {
            return false;
        };
        answers(&mut stream).await
    })
    .await;
}

async fn answers(stream: &mut TcpStream) -> bool {
    use tokio::io::AsyncWriteExt as _;
    let request = b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let mut answer = Vec::new();
    stream.write_all(request).await.is_ok()
        && soon("an answer", stream.read_to_end(&mut answer)).await.is_ok()
        && answer.starts_with(b"HTTP/1.1 200")
}

#[tokio::test]
async fn a_frame_over_the_cap_ends_the_connection() {
    let server = TestServer::start().await;
    let (_, key) = server.key(&server.account().await).await;
    let mut node = TestNode::join(server.address, &key, hello("m1", "e1")).await;
    // The server may be gone before all of it is sent.
    let _ = node.send(Message::binary(vec![0; FRAME_BYTES_MAX + 1])).await;
    assert!(node.listen().await.is_err());
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
async fn a_head_that_is_too_large_is_refused() {
    let server = TestServer::start().await;
    let answer = server
        .send(Http::new("GET", "/healthz").header("x-large", &"x".repeat(100_000)))
        .await;
    assert_eq!(answer.status, 431);
}
