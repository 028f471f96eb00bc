//! Viewers: the welcome, frames, details, events, and those who fall behind.

use metric_flow_protocol::live::{HostEventKind, LiveMessage};

use crate::support::{TestNode, TestServer, TestViewer, hello, refusal, sample, ticket};

#[tokio::test]
async fn a_viewer_sees_a_sample_as_a_row() {
    let server = TestServer::start().await;
    let token = server.account().await;
    let (_, key) = server.key(&token).await;
    let mut node = TestNode::join(server.address, &key, hello("m1", "e1")).await;
    let mut viewers = [
        TestViewer::watch(&server, &token).await,
        TestViewer::watch(&server, &token).await,
    ];
    assert_eq!(viewers[0].welcome.hosts[0].id, node.welcome.host_id);
    assert!(viewers[0].welcome.hosts[0].online);
    node.report([1]).await;
    node.report([2]).await;
    for viewer in &mut viewers {
        let row = viewer.row(|row| row.time_unix_ms == sample(2).time_unix_ms).await;
        assert_eq!(row.memory_used_bytes, 250);
        assert!((row.cpu_used_percent - 12.5).abs() < f32::EPSILON);
        assert!((row.received_bytes_per_second - 2_000.0).abs() < 0.1);
    }
}

#[tokio::test]
async fn a_viewer_sees_hosts_come_go_and_change() {
    let server = TestServer::start().await;
    let token = server.account().await;
    let (_, key) = server.key(&token).await;
    let mut viewer = TestViewer::watch(&server, &token).await;
    let node = TestNode::join(server.address, &key, hello("m1", "e1")).await;
    let host = viewer.event(HostEventKind::Online).await.expect("a host");
    assert_eq!((host.name.as_str(), host.online), ("host-m1", true));
    drop(node);
    let host = viewer.event(HostEventKind::Offline).await.expect("a host");
    assert!(!host.online);
    let request = crate::support::Http::new("DELETE", &format!("/api/v1/hosts/{}", host.id)).bearer(&token);
    assert_eq!(server.send(request).await.status, 204);
    assert!(viewer.event(HostEventKind::Removed).await.is_none());
}

#[tokio::test]
async fn full_samples_come_for_open_hosts_only() {
    let server = TestServer::start().await;
    let token = server.account().await;
    let (_, key) = server.key(&token).await;
    let mut open = TestNode::join(server.address, &key, hello("m1", "e1")).await;
    let mut other = TestNode::join(server.address, &key, hello("m2", "e1")).await;
    let mut viewer = TestViewer::watch(&server, &token).await;
    viewer.subscribe(&[&open.welcome.host_id]).await;
    // The answer to a subscription is what is remembered, and shows that it holds.
    let remembered = viewer.detail().await;
    assert_eq!(
        (remembered.id.as_str(), remembered.samples.len()),
        (open.welcome.host_id.as_str(), 0)
    );
    other.report([1]).await;
    open.report([1]).await;
    let detail = viewer.detail().await;
    assert_eq!(
        (detail.id.as_str(), detail.epoch.as_str()),
        (open.welcome.host_id.as_str(), "e1")
    );
    assert_eq!(detail.samples, vec![sample(1)]);
    let mut late = TestViewer::watch(&server, &token).await;
    late.subscribe(&[&open.welcome.host_id]).await;
    assert_eq!(late.detail().await.samples, vec![sample(1)]);
}

#[tokio::test]
async fn a_ticket_is_good_once_and_from_the_dashboard_only() {
    let server = TestServer::start().await;
    let token = server.account().await;
    let open =
        async |ticket: &str, origin: Option<&str>| TestViewer::open(server.address, ticket, origin).await;
    let good = ticket(&server, &token).await;
    let own = server.origin();
    assert_eq!(refusal(open(&good, None).await), 403);
    assert_eq!(refusal(open(&good, Some("https://evil.example")).await), 403);
    assert_eq!(refusal(open("made-up", Some(&own)).await), 401);
    assert!(open(&good, Some(&own)).await.is_ok());
    assert_eq!(refusal(open(&good, Some(&own)).await), 401);
}

#[tokio::test]
async fn a_message_that_is_not_understood_is_answered_and_the_socket_stays() {
    let server = TestServer::start().await;
    let token = server.account().await;
    let mut viewer = TestViewer::watch(&server, &token).await;
    viewer.say("{\"type\":\"dance\"}").await.expect("sent");
    match viewer.next().await {
        Ok(LiveMessage::Notice(notice)) => assert_eq!(notice.code, "bad_message"),
        other => panic!("answered with {other:?}"),
    }
    viewer.subscribe(&["nobody"]).await;
    viewer.say("nonsense").await.expect("sent");
    assert!(matches!(viewer.next().await, Ok(LiveMessage::Notice(_))));
}
