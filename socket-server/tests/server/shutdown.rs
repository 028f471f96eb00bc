//! The end: sockets are told, samples are stored, nothing is left.

use metric_flow_lifecycle::Drained;
use socket_server::store::{HostId, Store as _};
use tokio::net::TcpStream;

use crate::support::{TestNode, TestServer, TestViewer, hello, test_config};

#[tokio::test]
async fn sockets_are_closed_with_1001_and_awaited() {
    let server = TestServer::start().await;
    let token = server.account().await;
    let (_, key) = server.key(&token).await;
    let mut node = TestNode::join(server.address, &key, hello("m1", "e1")).await;
    let mut viewer = TestViewer::watch(&server, &token).await;
    server.begin_end();
    assert_eq!(node.closed().await.0, 1001);
    assert_eq!(viewer.closed().await, Some(1001));
    assert_eq!(server.end().await, Drained::Complete);
}

#[tokio::test]
async fn samples_that_were_taken_are_stored_before_the_end() {
    let server = TestServer::start().await;
    let token = server.account().await;
    let (_, key) = server.key(&token).await;
    let mut node = TestNode::join(server.address, &key, hello("m1", "e1")).await;
    let mut viewer = TestViewer::watch(&server, &token).await;
    node.report([1]).await;
    // It was shown, so it was taken; its commit may still wait.
    viewer.row(|_| true).await;
    let (store, host) = (server.store.clone(), HostId(node.welcome.host_id.clone()));
    server.begin_end();
    node.closed().await;
    viewer.closed().await;
    assert_eq!(server.end().await, Drained::Complete);
    assert!(store.settled(&host, "e1").await.expect("works").contains(1));
}

#[tokio::test]
async fn what_was_there_is_there_for_the_next_server() {
    let server = TestServer::start().await;
    let token = server.account().await;
    let (_, key) = server.key(&token).await;
    let mut node = TestNode::join(server.address, &key, hello("m1", "e1")).await;
    node.report([1]).await;
    node.acknowledged(1).await;
    let (store, host) = (server.store.clone(), node.welcome.host_id.clone());
    drop(node);
    assert_eq!(server.end().await, Drained::Complete);
    let next = TestServer::on(test_config(), store).await;
    assert!(next.setup_token.is_none());
    let node = TestNode::join(next.address, &key, hello("m1", "e1")).await;
    assert_eq!((&node.welcome.host_id, node.welcome.durable_seq), (&host, 1));
}

#[tokio::test]
async fn a_connection_that_says_nothing_does_not_hold_the_end_up() {
    let server = TestServer::start().await;
    let _silent = TcpStream::connect(server.address).await.expect("connected");
    assert_eq!(server.end().await, Drained::Complete);
}
