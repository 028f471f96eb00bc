//! The past over HTTP: of the caller's own hosts, as JSON and as CSV.

use serde_json::json;
use socket_server::config::Config;

use crate::support::{Answer, Http, TestNode, TestServer, hello, sample, test_config};

async fn get(server: &TestServer, token: &str, path: &str) -> Answer {
    server.send(Http::new("GET", path).bearer(token)).await
}

/// A host with ten stored samples; returns its id and the window that holds them.
async fn stored(server: &TestServer, token: &str) -> (String, String) {
    let (_, key) = server.key(token).await;
    let mut node = TestNode::join(server.address, &key, hello("m1", "e1")).await;
    node.report(1..=10).await;
    node.acknowledged(10).await;
    let (from, to) = (sample(1).time_unix_ms, sample(11).time_unix_ms);
    (node.welcome.host_id.clone(), format!("from={from}&to={to}"))
}

#[tokio::test]
async fn what_a_host_reported_can_be_asked_for() {
    let server = TestServer::start().await;
    let token = server.account().await;
    let (host, window) = stored(&server, &token).await;
    let names = get(&server, &token, &format!("/api/v1/hosts/{host}/series?{window}"))
        .await
        .json();
    let names = names["series"].as_array().expect("a list");
    assert!(names.contains(&json!("cpu_used_percent")), "{names:?}");
    let path = format!("/api/v1/hosts/{host}/history?series=cpu_used_percent&points=100&{window}");
    let history = get(&server, &token, &path).await.json();
    assert_eq!(history["step_ms"], json!(1_000));
    assert_eq!(history["columns"][0]["mean"], json!(vec![12.5; 10]));
    let csv = get(&server, &token, &format!("{path}&format=csv")).await;
    assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8"));
    assert!(
        csv.body
            .starts_with(b"time_unix_ms,coverage,cpu_used_percent mean")
    );
    let fleet = format!("/api/v1/fleet/history?series=cpu_used_percent&aggregate=sum&points=100&{window}");
    let fleet = get(&server, &token, &fleet).await.json();
    assert_eq!(fleet["groups"][0]["values"], json!(vec![12.5; 10]));
}

#[tokio::test]
async fn a_question_that_makes_no_sense_is_answered_in_words() {
    let server = TestServer::start().await;
    let token = server.account().await;
    let (host, window) = stored(&server, &token).await;
    for (query, code) in [
        (format!("series=cpu_used_percentage&{window}"), "unknown_series"),
        (format!("points=0&series=cpu_used_percent&{window}"), "bad_points"),
        (window.clone(), "bad_series_count"),
        ("series=cpu_used_percent&from=9&to=3".to_owned(), "empty_range"),
        ("series=cpu_used_percent&from=yesterday".to_owned(), "bad_request"),
    ] {
        let answer = get(&server, &token, &format!("/api/v1/hosts/{host}/history?{query}")).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, code), "{query}");
    }
}

#[tokio::test]
async fn the_past_of_another_account_is_not_there() {
    let server = TestServer::with(Config {
        registration_open: true,
        ..test_config()
    })
    .await;
    let ada = server.account().await;
    let bob = server.other_account("bob").await;
    let (host, window) = stored(&server, &ada).await;
    for part in ["history?series=cpu_used_percent&", "series?"] {
        let path = format!("/api/v1/hosts/{host}/{part}{window}");
        assert_eq!(get(&server, &bob, &path).await.status, 404);
        assert_eq!(server.send(Http::new("GET", &path)).await.status, 401);
    }
    let fleet = format!("/api/v1/fleet/history?series=cpu_used_percent&{window}");
    let groups = get(&server, &bob, &fleet).await.json()["groups"].clone();
    assert!(!groups.to_string().contains("12.5"), "{groups}");
}
