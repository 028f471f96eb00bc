//! Behind a proxy: whose address counts, who may say so, and what the cookies and limits make of it.

use std::time::Duration;

use metric_flow_protocol::version::NodeEncoding;
use serde_json::json;
use socket_server::{
    accounts::AccountsPolicy,
    config::{Config, Limits, Network},
};
use tokio_tungstenite::tungstenite;

use crate::support::{Answer, Http, NAME, PASSWORD, TestNode, TestServer, test_config, until};

const ADA: &str = "192.0.2.7";
const BOB: &str = "198.51.100.9";

/// A server that two failed log-ins make wait, with these networks as proxies.
async fn server_behind(proxies: &[&str]) -> TestServer {
    let server = TestServer::with(Config {
        trusted_proxies: proxies
            .iter()
            .map(|text| Network::parse(text).expect("a network"))
            .collect(),
        accounts: AccountsPolicy {
            login_failures_free: 2,
            // Longer than any test takes.
            login_wait: Duration::from_secs(15 * 60),
            ..test_config().accounts
        },
        ..test_config()
    })
    .await;
    server.set_up().await;
    server
}

fn log_in(password: &str) -> Http {
    Http::new("POST", "/api/v1/login").json(&json!({ "name": NAME, "password": password }))
}

async fn log_in_from(server: &TestServer, forwarded_for: &str, password: &str) -> Answer {
    server
        .send(log_in(password).header("x-forwarded-for", forwarded_for))
        .await
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_address_has_its_own_attempts() {
    let server = server_behind(&["127.0.0.0/8"]).await;
    for _ in 0..2 {
        assert_eq!(log_in_from(&server, ADA, "wrong one").await.status, 401);
    }
    assert_eq!(
        log_in_from(&server, ADA, PASSWORD).await.code(),
        "too_many_attempts"
    );
    assert_eq!(log_in_from(&server, BOB, PASSWORD).await.status, 200);
    // What the attacker puts before its own address does not help it.
    let spoofed = format!("{BOB}, 127.0.0.1, {ADA}");
    assert_eq!(log_in_from(&server, &spoofed, PASSWORD).await.status, 429);
    let second_proxy = format!("{BOB}, {ADA}, 127.0.0.9");
    assert_eq!(log_in_from(&server, &second_proxy, PASSWORD).await.status, 429);
}

#[tokio::test]
async fn nobody_else_is_believed() {
    for proxies in [&[][..], &["10.0.0.0/8", "::1"]] {
        let server = server_behind(proxies).await;
        for n in 0..2 {
            let address = format!("192.0.2.{n}");
            assert_eq!(log_in_from(&server, &address, "wrong one").await.status, 401);
        }
        let third = server
            .send(
                log_in(PASSWORD)
                    .header("x-forwarded-for", BOB)
                    .header("forwarded", "for=198.51.100.9;proto=https")
                    .header("x-real-ip", BOB),
            )
            .await;
        assert_eq!(third.code(), "too_many_attempts", "{proxies:?}");
    }
}

#[tokio::test]
async fn hostile_headers_neither_fail_nor_hide_anyone() {
    let server = server_behind(&["127.0.0.1"]).await;
    let long = "127.0.0.1,".repeat(1_000);
    let hostile = [
        "",
        ", ,",
        "junk",
        "\"><script>",
        "999.9.9.9",
        "[::1",
        "1.2.3.4:99999",
        &long,
        "\u{1f600}",
    ];
    let mut refused = 0;
    for value in hostile {
        let answer = log_in_from(&server, value, "wrong one").await;
        assert!(matches!(answer.status, 401 | 429), "{value}: {answer:?}");
        refused += usize::from(answer.status == 429);
    }
    assert_eq!(
        refused,
        hostile.len() - 2,
        "all of them count for the proxy itself"
    );
    assert_eq!(log_in_from(&server, ADA, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn tls_at_a_trusted_proxy_makes_cookies_secure_and_origins_https() {
    let trusting = server_behind(&["127.0.0.1"]).await;
    let strict = server_behind(&[]).await;
    for (server, secure) in [(&trusting, true), (&strict, false)] {
        let answer = server
            .send(log_in(PASSWORD).header("x-forwarded-proto", "https"))
            .await;
        let cookie = answer.header("set-cookie").expect("a cookie");
        assert_eq!(cookie.contains("; Secure"), secure, "{cookie}");
        assert_eq!(answer.header("strict-transport-security").is_some(), secure);
        let refresh = Http::new("POST", "/api/v1/session/refresh")
            .header("cookie", &answer.cookie())
            .header("x-forwarded-proto", "https")
            .header("origin", &format!("https://{}", server.address));
        assert_eq!(server.send(refresh).await.status, if secure { 200 } else { 403 });
    }
    let plain = trusting
        .send(log_in(PASSWORD).header("x-forwarded-proto", "http"))
        .await;
    assert!(!plain.header("set-cookie").expect("a cookie").contains("; Secure"));
}

#[tokio::test]
async fn a_proxy_is_not_locked_out_but_each_address_behind_it_is_limited() {
    const PER_ADDRESS: usize = 3;
    let server = TestServer::with(Config {
        trusted_proxies: vec![Network::parse("127.0.0.1").expect("a network")],
        limits: Limits {
            connections: 100,
            connections_per_address: PER_ADDRESS,
        },
        ..test_config()
    })
    .await;
    let (_, key) = server.key(&server.account().await).await;
    let open = async |address: &str| {
        TestNode::open_behind(server.address, &key, NodeEncoding::Protobuf, Some(address)).await
    };
    let mut nodes = Vec::new();
    for n in 0..4 * PER_ADDRESS {
        nodes.push(open(&format!("192.0.2.{n}")).await.expect("each has room"));
    }
    let mut of_one = Vec::new();
    for _ in 0..PER_ADDRESS {
        of_one.push(open(BOB).await.expect("room for so many"));
    }
    match open(BOB).await.map(drop) {
        Err(tungstenite::Error::Http(refusal)) => assert_eq!(refusal.status(), 429),
        other => panic!("one more was answered with {other:?}"),
    }
    drop(of_one);
    until("room again", async || open(BOB).await.is_ok()).await;
    drop(nodes);
}
