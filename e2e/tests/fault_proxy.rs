//! The proxy itself does what its faults say.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::net::SocketAddr;

use metric_flow_e2e::fault_proxy::{Fault, FaultProxy};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

/// A peer that tells what it read from each connection once that connection ended.
async fn recorder() -> (SocketAddr, mpsc::Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (told, read) = mpsc::channel(8);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (mut seen, mut chunk) = (Vec::new(), [0_u8; 64]);
            while let Ok(count @ 1..) = stream.read(&mut chunk).await {
                seen.extend_from_slice(&chunk[..count]);
                if stream.write_all(&chunk[..count]).await.is_err() {
                    break;
                }
            }
            if told.send(seen).await.is_err() {
                return;
            }
        }
    });
    (address, read)
}

#[tokio::test]
async fn bytes_pass_both_ways_when_nothing_is_wrong() {
    let (upstream, _read) = recorder().await;
    let proxy = FaultProxy::start(upstream).await.expect("a proxy");
    let mut stream = TcpStream::connect(proxy.address).await.expect("a connection");
    stream.write_all(b"hello").await.expect("sent");
    let mut echoed = [0_u8; 5];
    stream.read_exact(&mut echoed).await.expect("an echo");
    assert_eq!(&echoed, b"hello");
    proxy.stop().await;
}

#[tokio::test]
async fn a_truncated_connection_carries_just_so_many_bytes() {
    let (upstream, mut read) = recorder().await;
    let proxy = FaultProxy::start(upstream).await.expect("a proxy");
    proxy.set(Fault::Truncate(3));
    let mut stream = TcpStream::connect(proxy.address).await.expect("a connection");
    stream.write_all(b"hello").await.expect("sent");
    let seen = read.recv().await.expect("the connection's bytes");
    assert!(b"hel".starts_with(&seen), "{seen:?}");
}

#[tokio::test]
async fn a_stalled_connection_goes_on_where_it_stopped() {
    let (upstream, _read) = recorder().await;
    let proxy = FaultProxy::start(upstream).await.expect("a proxy");
    let mut stream = TcpStream::connect(proxy.address).await.expect("a connection");
    proxy.set(Fault::Stall);
    stream.write_all(b"hello").await.expect("sent");
    proxy.set(Fault::None);
    let mut echoed = [0_u8; 5];
    stream.read_exact(&mut echoed).await.expect("an echo");
    assert_eq!(&echoed, b"hello");
}

#[tokio::test]
async fn a_reset_ends_old_connections_and_new_ones() {
    let (upstream, _read) = recorder().await;
    let proxy = FaultProxy::start(upstream).await.expect("a proxy");
    let mut old = TcpStream::connect(proxy.address).await.expect("a connection");
    old.write_all(b"x").await.expect("sent");
    old.read_exact(&mut [0_u8; 1]).await.expect("an echo");
    proxy.set(Fault::Reset);
    assert!(matches!(old.read(&mut [0_u8; 1]).await, Err(_) | Ok(0)));
    let mut new = TcpStream::connect(proxy.address).await.expect("a connection");
    assert!(matches!(new.read(&mut [0_u8; 1]).await, Err(_) | Ok(0)));
}
