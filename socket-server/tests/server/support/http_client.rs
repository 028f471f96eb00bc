//! The smallest HTTP client that shows everything: one connection a request, headers as they came.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
};

use super::soon;

/// What the server answered.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The answer in `bytes`, once all of it is there; an upgrade has no body.
    pub(crate) fn complete(bytes: &[u8], ended: bool) -> Option<Self> {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
        assert!(end.is_some() || !ended, "the connection ended without an answer");
        end?;
        let answer = parse(bytes);
        let length = answer
            .header("content-length")
            .map_or(0, |length| length.parse().expect("a length"));
        (ended || answer.body.len() >= length).then_some(answer)
    }

    /// The first header of that name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(':'))
            .find_map(|(key, value)| key.eq_ignore_ascii_case(name).then(|| value.trim()))
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }

    /// The code of an error.
    pub(crate) fn code(&self) -> String {
        self.json()["error"]["code"]
            .as_str()
            .expect("an error's code")
            .to_owned()
    }

    /// The `name=value` of the cookie that is set.
    pub(crate) fn cookie(&self) -> String {
        let cookie = self.header("set-cookie").expect("a cookie");
        cookie.split(';').next().expect("a pair").to_owned()
    }
}

/// A request in the making.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    head: String,
    body: Vec<u8>,
}

impl Http {
    pub(crate) fn new(method: &str, path: &str) -> Self {
        Self {
            head: format!("{method} {path} HTTP/1.1\r\n"),
            body: Vec::new(),
        }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.head.push_str(&format!("{name}: {value}\r\n"));
        self
    }

    pub(crate) fn json(mut self, body: &Value) -> Self {
        self.body = body.to_string().into_bytes();
        self.header("content-type", "application/json")
    }

    pub(crate) fn body(mut self, body: Vec<u8>) -> Self {
        self.body = body;
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// Sends it on a connection of its own.
    pub(crate) async fn send(self, server: SocketAddr) -> Answer {
        let stream = TcpStream::connect(server).await.expect("connected");
        self.send_on(stream, server).await
    }

    /// Sends it on a given connection and reads until the server closes that.
    pub(crate) async fn send_on(
        self,
        mut stream: impl AsyncRead + AsyncWrite + Unpin,
        server: SocketAddr,
    ) -> Answer {
        let request = format!(
            "{}host: {server}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            self.head,
            self.body.len()
        );
        let mut bytes = request.into_bytes();
        bytes.extend_from_slice(&self.body);
        soon("an answer", async {
            // A server that refuses a large body answers before it has read all of it.
            let _ = stream.write_all(&bytes).await;
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer).await;
            parse(&answer)
        })
        .await
    }
}

fn parse(answer: &[u8]) -> Answer {
    let end = answer
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .expect("a head");
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .expect("a status");
    Answer {
        status,
        head,
        body: answer[end + 4..].to_vec(),
    }
}
