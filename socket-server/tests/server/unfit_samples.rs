//! Samples that cannot be kept as they are, hosts that are gone, frames with a wrong field: none of them stops others.

use metric_flow_protocol::{
    metrics::{Memory, Sample},
    series::GapReason,
    version::NodeEncoding,
};
use serde_json::json;
use socket_server::store::{HostId, Store as _};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Http, TestNode, TestServer, TestViewer, hello, sample};

#[tokio::test]
async fn a_batch_that_the_store_never_takes_is_a_loss_and_stops_nobody() {
    let server = TestServer::start().await;
    let token = server.account().await;
    let (_, key) = server.key(&token).await;
    let mut unfit = TestNode::join(server.address, &key, hello("m1", "e1")).await;
    let mut other = TestNode::join(server.address, &key, hello("m2", "e1")).await;
    server.store.refuse(77);
    unfit.report([1]).await;
    unfit.acknowledged(1).await;
    unfit.report_samples(vec![sample(2), sample(77), sample(3)]).await;
    other.report([1]).await;
    other.acknowledged(1).await;
    // The two around it went with their batch; the numbers between are still to come.
    unfit.acknowledged(3).await;
    let host = HostId(unfit.welcome.host_id.clone());
    let losses = server
        .store
        .dropped(&host, i64::MIN, i64::MAX)
        .await
        .expect("works");
    let losses: Vec<_> = losses
        .iter()
        .map(|loss| (loss.first_seq, loss.last_seq, loss.reason))
        .collect();
    assert_eq!(losses, [(2, 3, GapReason::Damaged), (77, 77, GapReason::Damaged)]);
    let metrics = server.send(Http::new("GET", "/metrics")).await;
    let metrics = String::from_utf8_lossy(&metrics.body);
    assert!(metrics.contains("metric_flow_samples_refused 3\n"), "{metrics}");
}

#[tokio::test]
async fn a_reading_above_what_is_kept_is_set_to_the_largest() {
    let server = TestServer::start().await;
    let token = server.account().await;
    let (_, key) = server.key(&token).await;
    let mut node = TestNode::join(server.address, &key, hello("m1", "e1")).await;
    let memory = Memory {
        total_bytes: u64::MAX,
        ..Memory::default()
    };
    let unfit = Sample {
        memory: Some(memory),
        ..sample(1)
    };
    node.report_samples(vec![unfit]).await;
    node.acknowledged(1).await;
    let hosts = server.hosts(&token).await;
    assert_eq!(hosts[0]["latest"]["memory_total_bytes"], json!(i64::MAX));
    let unfit = Sample {
        seq: u64::MAX / 2 + 1,
        ..sample(1)
    };
    node.report_samples(vec![unfit]).await;
    let (code, reason) = node.closed().await;
    assert_eq!(code, 1002);
    assert!(reason.contains("2^63"), "{reason}");
}

#[tokio::test]
async fn nothing_of_a_deleted_host_is_written() {
    let server = TestServer::start().await;
    let token = server.account().await;
    let (_, key) = server.key(&token).await;
    let mut gone = TestNode::join(server.address, &key, hello("m1", "e1")).await;
    let mut other = TestNode::join(server.address, &key, hello("m2", "e1")).await;
    let mut viewer = TestViewer::watch(&server, &token).await;
    server.store.fail(true);
    gone.report([1]).await;
    // It was shown, so it is queued or tried already.
    viewer.row(|_| true).await;
    let host = gone.welcome.host_id.clone();
    let delete = Http::new("DELETE", &format!("/api/v1/hosts/{host}")).bearer(&token);
    assert_eq!(server.send(delete).await.status, 204);
    server.store.fail(false);
    // What came after it in the queue is durable, so its turn is over.
    other.report([1]).await;
    other.acknowledged(1).await;
    let settled = server
        .store
        .settled(&HostId(host.clone()), "e1")
        .await
        .expect("works");
    assert_eq!(settled.iter().count(), 0);
    assert_eq!(gone.closed().await.0, 1008);
    let hosts = server.store.all_hosts().await.expect("works");
    assert!(hosts.iter().all(|record| record.id.0 != host), "{hosts:?}");
}

#[tokio::test]
async fn a_wrong_field_in_json_is_named() {
    let server = TestServer::start().await;
    let (_, key) = server.key(&server.account().await).await;
    let mut node = TestNode::open(server.address, &key, NodeEncoding::Json)
        .await
        .expect("accepted");
    let wrong = r#"{"hello": {"machine_identity": "m1", "epoch": 7}}"#;
    node.send(Message::text(wrong)).await.expect("sent");
    let (code, reason) = node.closed().await;
    assert_eq!(code, 1002);
    assert!(reason.contains("hello.epoch"), "{reason}");
}
