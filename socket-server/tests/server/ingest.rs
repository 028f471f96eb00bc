//! Hosts' samples: acknowledged when durable, stored once, told apart, shown even while the store is away.

use metric_flow_protocol::{
    metrics::Sample,
    node::{Batch, Dropped, Hello, Label, NodeBody},
    version::NodeEncoding,
};
use serde_json::json;
use socket_server::store::{HostId, Store as _};

use crate::support::{Http, TestNode, TestServer, TestViewer, hello, sample, until};

#[tokio::test]
async fn samples_are_acknowledged_in_both_encodings() {
    let server = TestServer::start().await;
    let (_, key) = server.key(&server.account().await).await;
    for (identity, encoding) in [("m1", NodeEncoding::Protobuf), ("m2", NodeEncoding::Json)] {
        let mut node = TestNode::join_with(server.address, &key, hello(identity, "e1"), encoding).await;
        assert_eq!(node.welcome.durable_seq, 0);
        node.report(1..=3).await;
        node.acknowledged(3).await;
        let settled = server
            .store
            .settled(&HostId(node.welcome.host_id.clone()), "e1")
            .await
            .expect("works");
        assert_eq!(settled.iter().collect::<Vec<_>>(), vec![(1, 3)]);
    }
}

#[tokio::test]
async fn an_acknowledgement_waits_for_the_hole_before_it() {
    let server = TestServer::start().await;
    let (_, key) = server.key(&server.account().await).await;
    let mut node = TestNode::join(server.address, &key, hello("m1", "e1")).await;
    // Live first, then the replay of what came before.
    node.report([5, 6]).await;
    node.report([1, 2]).await;
    node.acknowledged(2).await;
    let dropped = vec![Dropped {
        first_seq: 3,
        last_seq: 4,
        ..Dropped::default()
    }];
    node.say(NodeBody::Batch(Batch {
        epoch: "e1".into(),
        dropped,
        ..Batch::default()
    }))
    .await;
    node.acknowledged(6).await;
}

#[tokio::test]
async fn a_host_that_comes_back_is_told_what_is_durable() {
    let server = TestServer::start().await;
    let token = server.account().await;
    let (_, key) = server.key(&token).await;
    let mut node = TestNode::join(server.address, &key, hello("m1", "e1")).await;
    node.report([1, 2, 4]).await;
    node.acknowledged(2).await;
    let host = node.welcome.host_id.clone();
    drop(node);
    let mut node = TestNode::join(server.address, &key, hello("m1", "e1")).await;
    assert_eq!((&node.welcome.host_id, node.welcome.durable_seq), (&host, 2));
    // What is stored already is stored once; the hole is filled.
    node.report([3, 4]).await;
    node.acknowledged(4).await;
    assert_eq!(server.hosts(&token).await.len(), 1);
}

#[tokio::test]
async fn a_host_with_a_new_spool_is_the_same_host() {
    let server = TestServer::start().await;
    let token = server.account().await;
    let (_, key) = server.key(&token).await;
    let node = TestNode::join(server.address, &key, hello("m1", "e1")).await;
    let host = node.welcome.host_id.clone();
    drop(node);
    until("the host's absence", async || {
        server.hosts(&token).await[0]["online"] == json!(false)
    })
    .await;
    let node = TestNode::join(server.address, &key, hello("m1", "e2")).await;
    assert_eq!((&node.welcome.host_id, node.welcome.durable_seq), (&host, 0));
}

#[tokio::test]
async fn clones_are_told_apart_and_flagged() {
    let server = TestServer::start().await;
    let token = server.account().await;
    let (_, key) = server.key(&token).await;
    let mut one = TestNode::join(server.address, &key, hello("same", "e1")).await;
    let address = server.address;
    let key_of_other = key.clone();
    let joining =
        tokio::spawn(async move { TestNode::join(address, &key_of_other, hello("same", "e2")).await });
    // The first one shows that it lives, as a host does every second.
    let mut seq = 0;
    while !joining.is_finished() {
        seq += 1;
        one.report([seq]).await;
        one.acknowledged(seq).await;
    }
    let other = joining.await.expect("joined");
    assert_ne!(one.welcome.host_id, other.welcome.host_id);
    let hosts = server.hosts(&token).await;
    assert_eq!(hosts.len(), 2);
    assert!(
        hosts
            .iter()
            .all(|host| host["cloned_identity"] == json!(true) && host["online"] == json!(true))
    );
    // Each comes back to its own row by its epoch.
    let host = other.welcome.host_id.clone();
    drop(other);
    let other = TestNode::join(server.address, &key, hello("same", "e2")).await;
    assert_eq!(other.welcome.host_id, host);
}

#[tokio::test]
async fn a_second_connection_of_a_host_takes_the_place_of_the_first() {
    let server = TestServer::start().await;
    let (_, key) = server.key(&server.account().await).await;
    let mut old = TestNode::join(server.address, &key, hello("m1", "e1")).await;
    let new = TestNode::join(server.address, &key, hello("m1", "e1")).await;
    assert_eq!(old.welcome.host_id, new.welcome.host_id);
    let (code, reason) = old.closed().await;
    assert_eq!(code, 1008);
    assert!(reason.contains("newer connection"), "{reason}");
}

#[tokio::test]
async fn a_hello_brings_facts_and_labels() {
    let server = TestServer::start().await;
    let token = server.account().await;
    let (_, key) = server.key(&token).await;
    let labels = vec![Label {
        name: "role".into(),
        value: "db".into(),
    }];
    let _node = TestNode::join(
        server.address,
        &key,
        Hello {
            labels,
            ..hello("m1", "e1")
        },
    )
    .await;
    let hosts = server.hosts(&token).await;
    assert_eq!(
        (&hosts[0]["name"], &hosts[0]["labels"]["role"]),
        (&json!("host-m1"), &json!("db"))
    );
}

#[tokio::test]
async fn live_goes_on_while_the_store_is_away_and_nothing_is_acknowledged() {
    let server = TestServer::start().await;
    let token = server.account().await;
    let (_, key) = server.key(&token).await;
    let mut node = TestNode::join(server.address, &key, hello("m1", "e1")).await;
    let mut viewer = TestViewer::watch(&server, &token).await;
    server.store.fail(true);
    node.report([1]).await;
    viewer.row(|row| row.time_unix_ms == sample(1).time_unix_ms).await;
    let ready = async || server.send(Http::new("GET", "/readyz")).await;
    until("not ready", async || ready().await.status == 503).await;
    assert!(
        ready().await.json()["parts"]["writer"]["reason"]
            .as_str()
            .expect("a reason")
            .contains("told to fail")
    );
    node.report([2]).await;
    viewer.row(|row| row.time_unix_ms == sample(2).time_unix_ms).await;
    let settled = server
        .store
        .settled(&HostId(node.welcome.host_id.clone()), "e1")
        .await
        .expect("works");
    assert_eq!(settled.iter().count(), 0);
    server.store.fail(false);
    node.acknowledged(2).await;
    until("ready again", async || ready().await.status == 200).await;
}

#[tokio::test]
async fn what_breaks_the_protocol_is_refused_in_words() {
    let server = TestServer::start().await;
    let (_, key) = server.key(&server.account().await).await;
    let batch = |epoch: &str, seq| {
        let samples = vec![Sample { seq, ..sample(1) }];
        NodeBody::Batch(Batch {
            epoch: epoch.into(),
            samples,
            ..Batch::default()
        })
    };
    for (body, words) in [
        (batch("e2", 1), "another epoch"),
        (batch("e1", 0), "no seq"),
        (NodeBody::Hello(hello("m1", "e1")), "second hello"),
    ] {
        let mut node = TestNode::join(server.address, &key, hello("m1", "e1")).await;
        node.say(body).await;
        let (code, reason) = node.closed().await;
        assert_eq!(code, 1002);
        assert!(reason.contains(words), "{reason}");
    }
    for (first, words) in [
        (
            NodeBody::Hello(Hello {
                protocol_major: 9,
                ..hello("m1", "e1")
            }),
            "protocol 9",
        ),
        (NodeBody::Hello(hello("", "e1")), "machine_identity"),
        (batch("e1", 1), "first message must be a hello"),
    ] {
        let mut node = TestNode::open(server.address, &key, NodeEncoding::Protobuf)
            .await
            .expect("accepted");
        node.say(first).await;
        let (code, reason) = node.closed().await;
        assert_eq!(code, 1002);
        assert!(reason.contains(words), "{reason}");
    }
}

#[tokio::test]
async fn an_older_sample_does_not_bring_an_old_number_back() {
    let server = TestServer::start().await;
    let token = server.account().await;
    let (_, key) = server.key(&token).await;
    let mut node = TestNode::join(server.address, &key, hello("m1", "e1")).await;
    node.report([9]).await;
    node.report([1]).await;
    node.acknowledged(1).await;
    let hosts = server.hosts(&token).await;
    assert_eq!(hosts[0]["latest"]["time_unix_ms"], json!(sample(9).time_unix_ms));
}
