//! Setting up, logging in and out, passwords, keys, and that nothing crosses from one account to another.

use std::time::Duration;

use metric_flow_protocol::version::NodeEncoding;
use serde_json::json;
use socket_server::{accounts::AccountsPolicy, config::Config};

use crate::support::{
    Answer, Http, NAME, PASSWORD, TestNode, TestServer, TestViewer, hello, refusal, test_config, ticket,
    token_of, until,
};

async fn log_in(server: &TestServer, name: &str, password: &str) -> Answer {
    server
        .send(Http::new("POST", "/api/v1/login").json(&json!({ "name": name, "password": password })))
        .await
}

async fn refresh(server: &TestServer, cookie: &str) -> Answer {
    let request = Http::new("POST", "/api/v1/session/refresh").header("cookie", cookie);
    server.send(request.header("origin", &server.origin())).await
}

async fn account_status(server: &TestServer, token: &str) -> u16 {
    server
        .send(Http::new("GET", "/api/v1/account").bearer(token))
        .await
        .status
}

#[tokio::test]
async fn a_fresh_server_is_set_up_once_by_its_link() {
    let server = TestServer::start().await;
    let status = server.send(Http::new("GET", "/api/v1/status")).await.json();
    assert_eq!(status["setup_required"], json!(true));
    let wrong = json!({ "token": "wrong", "name": NAME, "password": PASSWORD });
    let refused = server.send(Http::new("POST", "/api/v1/setup").json(&wrong)).await;
    assert_eq!((refused.status, refused.code().as_str()), (403, "setup_closed"));
    let token = server.account().await;
    assert_eq!(account_status(&server, &token).await, 200);
    let again = json!({ "token": server.setup_token, "name": "eve", "password": PASSWORD });
    let refused = server.send(Http::new("POST", "/api/v1/setup").json(&again)).await;
    assert_eq!((refused.status, refused.code().as_str()), (403, "setup_closed"));
    let status = server.send(Http::new("GET", "/api/v1/status")).await.json();
    assert_eq!(status["setup_required"], json!(false));
}

#[tokio::test]
async fn registration_is_closed_unless_it_is_opened() {
    let closed = TestServer::start().await;
    let body = json!({ "name": "bob", "password": PASSWORD });
    let refused = closed
        .send(Http::new("POST", "/api/v1/register").json(&body))
        .await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (403, "registration_closed")
    );
    let open = TestServer::with(Config {
        registration_open: true,
        ..test_config()
    })
    .await;
    open.account().await;
    open.other_account("bob").await;
    let taken = open
        .send(Http::new("POST", "/api/v1/register").json(&json!({ "name": "BOB", "password": PASSWORD })));
    assert_eq!(taken.await.code(), "name_taken");
}

#[tokio::test]
async fn passwords_have_a_least_and_a_greatest_length() {
    let server = TestServer::with(Config {
        registration_open: true,
        ..test_config()
    })
    .await;
    for password in ["short".to_owned(), "x".repeat(73), "ü".repeat(37)] {
        let body = json!({ "name": "bob", "password": password });
        let refused = server
            .send(Http::new("POST", "/api/v1/register").json(&body))
            .await;
        assert_eq!((refused.status, refused.code().as_str()), (400, "bad_password"));
    }
}

#[tokio::test]
async fn a_wrong_name_and_a_wrong_password_look_the_same() {
    let server = TestServer::start().await;
    server.set_up().await;
    let (no_name, no_password) = (
        log_in(&server, "eve", PASSWORD).await,
        log_in(&server, NAME, "wrong one").await,
    );
    assert_eq!(no_name.status, 401);
    assert_eq!(no_name.json(), no_password.json());
    assert_eq!(log_in(&server, "ADA", PASSWORD).await.status, 200);
}

#[tokio::test]
async fn guessing_is_slowed_down() {
    let accounts = AccountsPolicy {
        login_failures_free: 2,
        ..test_config().accounts
    };
    let server = TestServer::with(Config {
        accounts,
        ..test_config()
    })
    .await;
    server.set_up().await;
    let mut last = log_in(&server, NAME, "wrong one").await;
    for _ in 0..8 {
        last = log_in(&server, NAME, "wrong one").await;
        if last.status == 429 {
            break;
        }
    }
    assert_eq!((last.status, last.code().as_str()), (429, "too_many_attempts"));
    assert!(last.header("retry-after").is_some());
}

#[tokio::test]
async fn a_refresh_token_is_rotated_and_its_theft_ends_the_log_in() {
    let accounts = AccountsPolicy {
        rotation_grace: Duration::ZERO,
        ..test_config().accounts
    };
    let server = TestServer::with(Config {
        accounts,
        ..test_config()
    })
    .await;
    let first = server.set_up().await.cookie();
    let answer = refresh(&server, &first).await;
    let (second, token) = (answer.cookie(), token_of(&answer));
    assert_ne!(first, second);
    assert_eq!(refresh(&server, &first).await.code(), "session_ended");
    assert_eq!(refresh(&server, &second).await.code(), "session_ended");
    assert_eq!(account_status(&server, &token).await, 401);
}

#[tokio::test]
async fn two_tabs_may_refresh_at_the_same_moment() {
    let accounts = AccountsPolicy {
        rotation_grace: Duration::from_secs(3_600),
        ..test_config().accounts
    };
    let server = TestServer::with(Config {
        accounts,
        ..test_config()
    })
    .await;
    let cookie = server.set_up().await.cookie();
    let (one, other) = (refresh(&server, &cookie).await, refresh(&server, &cookie).await);
    assert_eq!((one.status, other.status), (200, 200));
    assert_eq!(refresh(&server, &one.cookie()).await.status, 200);
    assert_eq!(refresh(&server, &other.cookie()).await.status, 200);
}

#[tokio::test]
async fn the_refresh_cookie_is_out_of_reach_and_works_from_the_dashboard_only() {
    let server = TestServer::start().await;
    let answer = server.set_up().await;
    let cookie = answer.header("set-cookie").expect("a cookie").to_owned();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/api/v1/session"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let request = || Http::new("POST", "/api/v1/session/refresh").header("cookie", &answer.cookie());
    for refused in [request(), request().header("origin", "https://evil.example")] {
        let refused = server.send(refused).await;
        assert_eq!((refused.status, refused.code().as_str()), (403, "wrong_origin"));
    }
}

#[tokio::test]
async fn logging_out_ends_tokens_tickets_and_live_sockets() {
    let server = TestServer::start().await;
    let answer = server.set_up().await;
    let token = token_of(&answer);
    let mut viewer = TestViewer::watch(&server, &token).await;
    let unused = ticket(&server, &token).await;
    let request = Http::new("POST", "/api/v1/session/logout").header("cookie", &answer.cookie());
    let out = server.send(request.header("origin", &server.origin())).await;
    assert_eq!(out.status, 204);
    assert_eq!(viewer.closed().await, Some(1008));
    assert_eq!(account_status(&server, &token).await, 401);
    assert_eq!(refresh(&server, &answer.cookie()).await.code(), "session_ended");
    assert_eq!(
        refusal(TestViewer::open(server.address, &unused, Some(&server.origin())).await),
        401
    );
}

#[tokio::test]
async fn a_changed_password_ends_every_other_log_in() {
    let server = TestServer::start().await;
    let first = server.set_up().await;
    let other = log_in(&server, NAME, PASSWORD).await;
    let mut viewer = TestViewer::watch(&server, &token_of(&other)).await;
    let change = |current: &str| {
        let body = json!({ "current_password": current, "new_password": "another good one" });
        server.send(
            Http::new("PUT", "/api/v1/account/password")
                .bearer(&token_of(&first))
                .json(&body),
        )
    };
    assert_eq!(change("wrong one").await.code(), "wrong_password");
    let changed = change(PASSWORD).await;
    assert_eq!(changed.status, 200);
    assert_eq!(viewer.closed().await, Some(1008));
    assert_eq!(refresh(&server, &other.cookie()).await.status, 401);
    assert_eq!(account_status(&server, &token_of(&other)).await, 401);
    assert_eq!(account_status(&server, &token_of(&changed)).await, 200);
    assert_eq!(log_in(&server, NAME, "another good one").await.status, 200);
}

#[tokio::test]
async fn a_key_is_shown_once_and_listed_by_its_prefix() {
    let server = TestServer::start().await;
    let token = server.account().await;
    let (id, key) = server.key(&token).await;
    assert!(key.starts_with("mf_"));
    let list = server.send(Http::new("GET", "/api/v1/keys").bearer(&token)).await;
    assert!(!String::from_utf8_lossy(&list.body).contains(&key));
    let listed = &list.json()["keys"][0];
    assert_eq!(
        (listed["id"].as_str(), listed["prefix"].as_str()),
        (Some(&*id), key.get(..11))
    );
}

#[tokio::test]
async fn a_revoked_or_rotated_key_closes_its_sockets_at_once() {
    let server = TestServer::start().await;
    let token = server.account().await;
    let (id, key) = server.key(&token).await;
    let mut node = TestNode::join(server.address, &key, hello("m1", "e1")).await;
    let rotated = server
        .send(Http::new("POST", &format!("/api/v1/keys/{id}/rotate")).bearer(&token))
        .await;
    assert_eq!(node.closed().await.0, 1008);
    assert_eq!(
        refusal(TestNode::open(server.address, &key, NodeEncoding::Protobuf).await),
        401
    );
    let (id, key) = (rotated.json()["id"].clone(), rotated.json()["key"].clone());
    let (id, key) = (id.as_str().expect("an id"), key.as_str().expect("a key"));
    let mut node = TestNode::join(server.address, key, hello("m1", "e1")).await;
    let revoked = server
        .send(Http::new("DELETE", &format!("/api/v1/keys/{id}")).bearer(&token))
        .await;
    assert_eq!(revoked.status, 204);
    let (code, reason) = node.closed().await;
    assert_eq!(code, 1008);
    assert!(reason.contains("revoked"), "{reason}");
    assert_eq!(
        refusal(TestNode::open(server.address, key, NodeEncoding::Protobuf).await),
        401
    );
}

#[tokio::test]
async fn nothing_crosses_from_one_account_to_another() {
    let server = TestServer::with(Config {
        registration_open: true,
        ..test_config()
    })
    .await;
    let ada = server.account().await;
    let bob = server.other_account("bob").await;
    let (key_id, key) = server.key(&ada).await;
    let mut node = TestNode::join(server.address, &key, hello("m1", "e1")).await;
    let host = node.welcome.host_id.clone();
    let mut bobs = TestViewer::watch(&server, &bob).await;
    assert!(bobs.welcome.hosts.is_empty());
    bobs.subscribe(&[&host]).await;
    node.report([1]).await;
    node.acknowledged(1).await;
    assert!(server.hosts(&bob).await.is_empty());
    for (method, path) in [
        ("DELETE", format!("/api/v1/hosts/{host}")),
        ("DELETE", format!("/api/v1/keys/{key_id}")),
        ("POST", format!("/api/v1/keys/{key_id}/rotate")),
    ] {
        let refused = server.send(Http::new(method, &path).bearer(&bob)).await;
        assert_eq!(refused.status, 404, "{method} {path}");
    }
    let rename = Http::new("PATCH", &format!("/api/v1/hosts/{host}"))
        .bearer(&bob)
        .json(&json!({ "name": "x" }));
    assert_eq!(server.send(rename).await.status, 404);
    // Bob's own host is the first thing that he sees.
    let (_, bobs_key) = server.key(&bob).await;
    let mut own = TestNode::join(server.address, &bobs_key, hello("m1", "e1")).await;
    assert_ne!(own.welcome.host_id, host);
    own.report([1]).await;
    assert_eq!(bobs.row(|_| true).await.id, own.welcome.host_id);
}

#[tokio::test]
async fn a_host_is_renamed_labelled_and_deleted() {
    let server = TestServer::start().await;
    let token = server.account().await;
    let (_, key) = server.key(&token).await;
    let mut node = TestNode::join(server.address, &key, hello("m1", "e1")).await;
    let path = format!("/api/v1/hosts/{}", node.welcome.host_id);
    let change = json!({ "name": "rack 1", "labels": { "role": "db" } });
    let changed = server
        .send(Http::new("PATCH", &path).bearer(&token).json(&change))
        .await
        .json();
    assert_eq!(
        (&changed["name"], &changed["labels"]["role"]),
        (&json!("rack 1"), &json!("db"))
    );
    assert_eq!(
        server
            .send(Http::new("DELETE", &path).bearer(&token))
            .await
            .status,
        204
    );
    assert_eq!(node.closed().await.0, 1008);
    until("the host's end", async || server.hosts(&token).await.is_empty()).await;
}
