//! A server whose MongoDB goes away and comes back.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};

use crate::{
    mongodb_server::MongoServer,
    support::{FaultyStore, Http, TestNode, TestServer, TestViewer, hello, sample, test_config, until},
};

/// How long an acknowledgement is listened for that must not come.
const SILENCE: Duration = Duration::from_secs(2);

async fn is_ready(server: &TestServer) -> (bool, Value) {
    let answer = server.send(Http::new("GET", "/readyz")).await;
    (answer.status == 200, answer.json())
}

#[tokio::test]
async fn while_mongodb_is_away_live_goes_on_and_nothing_is_acknowledged() {
    let mut mongodb = MongoServer::guarded().await;
    let store = mongodb.store("away").await;
    let server = TestServer::on(test_config(), Arc::new(FaultyStore::new(store))).await;
    let token = server.account().await;
    let (_, key) = server.key(&token).await;
    let mut node = TestNode::join(server.address, &key, hello("m1", "e1")).await;
    let mut viewer = TestViewer::watch(&server, &token).await;
    node.report(1..=5).await;
    node.acknowledged(5).await;
    assert!(is_ready(&server).await.0);

    mongodb.kill();
    node.report(6..=10).await;
    viewer
        .row(|row| row.time_unix_ms == sample(10).time_unix_ms)
        .await;
    until("the server says that its store is away", async || {
        let (ready, parts) = is_ready(&server).await;
        !ready && parts["parts"]["store"]["reason"].is_string()
    })
    .await;
    assert_eq!(server.send(Http::new("GET", "/healthz")).await.status, 200);
    let early = tokio::time::timeout(SILENCE, node.acknowledged(6)).await;
    assert!(early.is_err(), "acknowledged what is not stored");

    mongodb.start_again().await;
    node.acknowledged(10).await;
    until("the server is ready again", async || is_ready(&server).await.0).await;
    let path = format!(
        "/api/v1/hosts/{}/history?series=cpu_used_percent&points=100&from={}&to={}",
        node.welcome.host_id,
        sample(1).time_unix_ms,
        sample(11).time_unix_ms
    );
    let history = server.send(Http::new("GET", &path).bearer(&token)).await.json();
    assert_eq!(history["columns"][0]["mean"], json!(vec![12.5; 10]));
    assert_eq!(history["gaps"], json!([]));
}
