//! Rollouts over HTTP: told once and again, seen by their own account only.

use serde_json::{Value, json};

use crate::support::{Http, TestServer};

fn event(release: &str, started: i64) -> Value {
    json!({
        "release_id": release, "project": "lab", "who": "ada@laptop", "host": "alpha", "what": "rollout",
        "started_unix_ms": started, "outcome": "running",
    })
}

async fn tell(server: &TestServer, token: &str, event: &Value) -> u16 {
    let request = Http::new("POST", "/api/v1/deploy-events")
        .bearer(token)
        .json(event);
    server.send(request).await.status
}

async fn events(server: &TestServer, token: &str, query: &str) -> Value {
    let path = format!("/api/v1/deploy-events?{query}");
    server.send(Http::new("GET", &path).bearer(token)).await.json()
}

#[tokio::test]
async fn what_a_rollout_tells_is_listed_with_its_latest_outcome() {
    let server = TestServer::start().await;
    let token = server.account().await;
    for (release, started) in [("r2", 2_000), ("r1", 1_000), ("r3", 3_000)] {
        assert_eq!(tell(&server, &token, &event(release, started)).await, 204);
    }
    let mut done = event("r1", 1_000);
    done["finished_unix_ms"] = json!(1_500);
    done["outcome"] = json!("succeeded");
    assert_eq!(tell(&server, &token, &done).await, 204);
    let found = events(&server, &token, "from=0&to=3000").await;
    let mut second = event("r2", 2_000);
    second["finished_unix_ms"] = Value::Null;
    assert_eq!(found, json!({ "events": [done, second] }));
}

#[tokio::test]
async fn events_need_a_token_and_make_sense() {
    let server = TestServer::start().await;
    let token = server.account().await;
    let nobody = Http::new("POST", "/api/v1/deploy-events").json(&event("r1", 1_000));
    assert_eq!(server.send(nobody).await.status, 401);
    assert_eq!(
        server
            .send(Http::new("GET", "/api/v1/deploy-events"))
            .await
            .status,
        401
    );
    for (name, value) in [
        ("release_id", json!("")),
        ("what", json!("x".repeat(201))),
        ("who", json!("a\nb")),
        ("host", json!("")),
        ("started_unix_ms", json!(0)),
        ("finished_unix_ms", json!(999)),
        ("outcome", json!("splendid")),
    ] {
        let mut bad = event("r1", 1_000);
        bad[name] = value;
        assert_eq!(tell(&server, &token, &bad).await, 400, "{name}");
    }
    assert_eq!(
        events(&server, &token, "from=0&to=9000").await,
        json!({ "events": [] })
    );
}
