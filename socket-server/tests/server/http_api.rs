//! Answers in general: errors, headers, bodies, health, files.

use serde_json::json;

use crate::support::{Http, TestServer};

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    let server = TestServer::start().await;
    for path in ["/healthz", "/api/v1/nothing", "/", "/assets/gone.js"] {
        let answer = server.send(Http::new("GET", path)).await;
        let policy = answer.header("content-security-policy").expect("a policy");
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self'"),
            "{policy}"
        );
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{path}");
        assert_eq!(answer.header("strict-transport-security"), None, "plain HTTP");
    }
}

#[tokio::test]
async fn errors_have_one_form_and_the_right_status() {
    let server = TestServer::start().await;
    for (method, path, status, code) in [
        ("GET", "/api/v1/nothing", 404, "not_found"),
        ("GET", "/api/v1/login", 405, "method_not_allowed"),
        ("PUT", "/api/v1/keys", 405, "method_not_allowed"),
        ("GET", "/api/v1/keys", 401, "unauthenticated"),
        ("GET", "/api/v1/hosts", 401, "unauthenticated"),
        ("DELETE", "/api/v1/hosts/x", 401, "unauthenticated"),
        ("POST", "/api/v1/live/ticket", 401, "unauthenticated"),
        ("GET", "/api/v1/node", 401, "bad_api_key"),
    ] {
        let answer = server.send(Http::new(method, path)).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (status, code),
            "{method} {path}"
        );
        for part in ["message", "hint"] {
            assert!(!answer.json()["error"][part].as_str().expect("a text").is_empty());
        }
    }
}

#[tokio::test]
async fn a_body_must_be_json_of_the_right_form_and_not_too_large() {
    let server = TestServer::start().await;
    let login = || Http::new("POST", "/api/v1/login");
    let answer = server.send(login().body(b"{}".to_vec())).await;
    assert_eq!((answer.status, answer.code().as_str()), (415, "not_json"));
    let answer = server.send(login().json(&json!({ "name": "ada" }))).await;
    assert_eq!((answer.status, answer.code().as_str()), (400, "bad_request"));
    let answer = server
        .send(login().json(&json!({ "name": "x".repeat(20_000) })))
        .await;
    assert_eq!((answer.status, answer.code().as_str()), (413, "body_too_large"));
}

#[tokio::test]
async fn health_says_the_state_of_each_part() {
    let server = TestServer::start().await;
    assert_eq!(server.send(Http::new("GET", "/healthz")).await.status, 200);
    let ready = server.send(Http::new("GET", "/readyz")).await;
    assert_eq!(ready.status, 200);
    for part in ["store", "writer", "accepting"] {
        assert_eq!(ready.json()["parts"][part]["ready"], json!(true), "{part}");
    }
}

#[tokio::test]
async fn metrics_are_in_the_form_of_openmetrics() {
    let server = TestServer::start().await;
    let answer = server.send(Http::new("GET", "/metrics")).await;
    let text = String::from_utf8(answer.body.clone()).expect("text");
    assert!(
        answer
            .header("content-type")
            .expect("a type")
            .starts_with("application/openmetrics-text")
    );
    assert!(text.contains("metric_flow_samples_received_total 0"), "{text}");
    assert!(text.ends_with("# EOF\n"), "{text}");
}

#[tokio::test]
async fn an_unknown_address_is_the_dashboards_own_but_an_unknown_asset_is_not() {
    let server = TestServer::start().await;
    let page = server.send(Http::new("GET", "/hosts/anything")).await;
    // The tests may run before the dashboard is built: then the answer says so.
    if page.status == 200 {
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
        assert_eq!(page.header("cache-control"), Some("no-cache"));
        let etag = page.header("etag").expect("an etag").to_owned();
        let again = server
            .send(Http::new("GET", "/").header("if-none-match", &etag))
            .await;
        assert_eq!(again.status, 304);
    } else {
        assert_eq!((page.status, page.code().as_str()), (404, "no_dashboard"));
    }
    let gone = server.send(Http::new("GET", "/assets/gone-123.js")).await;
    assert_eq!((gone.status, gone.code().as_str()), (404, "not_found"));
}
