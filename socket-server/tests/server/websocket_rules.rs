//! Every rule of the handshake that warp's own filter would have checked, and the subprotocols.

use crate::support::{Answer, Http, TestServer, soon};

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const PROTOCOL: &str = "metric-flow.node.v1";

/// A handshake as it should be, with one header another or left out.
async fn handshake(server: &TestServer, key: &str, name: &str, value: Option<&str>) -> Answer {
    let headers = [
        ("connection", "keep-alive, Upgrade"),
        ("upgrade", "WebSocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", KEY),
        ("sec-websocket-protocol", PROTOCOL),
    ];
    let mut request = format!(
        "GET /api/v1/node HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {key}\r\n",
        server.address
    );
    for (header, usual) in headers {
        let sent = if header == name { value } else { Some(usual) };
        if let Some(value) = sent {
            request.push_str(&format!("{header}: {value}\r\n"));
        }
    }
    request.push_str("\r\n");
    raw(server, &request).await
}

/// Sends a request as it is and reads the answer's head, and its body by its length.
async fn raw(server: &TestServer, request: &str) -> Answer {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut stream = tokio::net::TcpStream::connect(server.address)
        .await
        .expect("connected");
    stream.write_all(request.as_bytes()).await.expect("sent");
    soon("an answer", async {
        let mut bytes = Vec::new();
        loop {
            let mut part = [0; 1024];
            let count = stream.read(&mut part).await.expect("read");
            bytes.extend_from_slice(&part[..count]);
            if let Some(answer) = Answer::complete(&bytes, count == 0) {
                return answer;
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_good_handshake_is_accepted_as_the_rfc_says() {
    let server = TestServer::start().await;
    let (_, key) = server.key(&server.account().await).await;
    let answer = handshake(&server, &key, "", None).await;
    assert_eq!(answer.status, 101);
    // The example of RFC 6455 §1.3.
    assert_eq!(
        answer.header("sec-websocket-accept"),
        Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    );
    assert_eq!(answer.header("sec-websocket-protocol"), Some(PROTOCOL));
    assert!(
        answer
            .header("upgrade")
            .expect("a header")
            .eq_ignore_ascii_case("websocket")
    );
}

#[tokio::test]
async fn a_handshake_that_breaks_a_rule_is_refused() {
    let server = TestServer::start().await;
    let (_, key) = server.key(&server.account().await).await;
    for (name, value, status, code) in [
        ("connection", None, 400, "not_a_websocket_handshake"),
        ("connection", Some("keep-alive"), 400, "not_a_websocket_handshake"),
        ("upgrade", None, 400, "not_a_websocket_handshake"),
        ("upgrade", Some("h2c"), 400, "not_a_websocket_handshake"),
        ("sec-websocket-version", None, 426, "wrong_websocket_version"),
        ("sec-websocket-version", Some("8"), 426, "wrong_websocket_version"),
        ("sec-websocket-key", None, 400, "not_a_websocket_handshake"),
        (
            "sec-websocket-key",
            Some("c2hvcnQ="),
            400,
            "not_a_websocket_handshake",
        ),
        (
            "sec-websocket-key",
            Some("not base64 of 16 bytes!!"),
            400,
            "not_a_websocket_handshake",
        ),
        ("sec-websocket-protocol", None, 400, "unknown_subprotocol"),
        (
            "sec-websocket-protocol",
            Some("metric-flow.node.v9"),
            400,
            "unknown_subprotocol",
        ),
    ] {
        let answer = handshake(&server, &key, name, value).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (status, code),
            "{name}: {value:?}"
        );
        if status == 426 {
            assert_eq!(answer.header("sec-websocket-version"), Some("13"));
        }
    }
}

#[tokio::test]
async fn the_first_subprotocol_that_both_speak_is_taken() {
    let server = TestServer::start().await;
    let (_, key) = server.key(&server.account().await).await;
    let offered = "metric-flow.node.v9, metric-flow.node.v1+json, metric-flow.node.v1";
    let answer = handshake(&server, &key, "sec-websocket-protocol", Some(offered)).await;
    assert_eq!(
        answer.header("sec-websocket-protocol"),
        Some("metric-flow.node.v1+json")
    );
}

#[tokio::test]
async fn another_method_or_version_of_http_is_no_handshake() {
    let server = TestServer::start().await;
    let (_, key) = server.key(&server.account().await).await;
    let post = Http::new("POST", "/api/v1/node").bearer(&key);
    assert_eq!(server.send(post).await.status, 405);
    let old = format!(
        "GET /api/v1/node HTTP/1.0\r\nauthorization: Bearer {key}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: {KEY}\r\nsec-websocket-protocol: {PROTOCOL}\r\n\r\n"
    );
    assert_eq!(raw(&server, &old).await.status, 400);
}

#[tokio::test]
async fn a_key_that_is_missing_mistyped_or_unknown_is_refused_in_words() {
    let server = TestServer::start().await;
    let (_, key) = server.key(&server.account().await).await;
    let other = TestServer::start().await;
    for (key, words) in [
        ("sk-1", "begin with mf_"),
        (&key[..20], "mistyped"),
        (key.as_str(), "unknown"),
    ] {
        let answer = handshake(&other, key, "", None).await;
        assert_eq!(answer.status, 401);
        let message = answer.json()["error"]["message"]
            .as_str()
            .expect("a message")
            .to_owned();
        assert!(message.contains(words), "{message}");
    }
}
