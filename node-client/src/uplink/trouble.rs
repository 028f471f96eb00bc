//! What went wrong with a connection, in a sentence that says what to do, and whether trying again soon can help.

use std::io;

use http::StatusCode;
use metric_flow_protocol::version::{IncompatibleVersion, NODE_SUBPROTOCOL};
use serde::Deserialize;
use thiserror::Error;
use tokio_rustls::rustls;
use tokio_tungstenite::tungstenite;
use tungstenite::error::ProtocolError;

/// Close code of a server that no longer accepts the key, beside 1008.
const CLOSE_KEY_REFUSED: u16 = 4401;

/// Close code of a key that may not do this.
const CLOSE_FORBIDDEN: u16 = 4403;

/// Close code of a protocol error (RFC 6455 §7.4.1).
const CLOSE_PROTOCOL: u16 = 1002;

/// When it makes sense to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// It may work any moment.
    Soon,
    /// A person has to do something first.
    Slowly,
}

/// Why there is no connection.
#[derive(Debug, Error)]
pub enum Trouble {
    /// No TCP connection.
    #[error(
        "cannot reach {address}: {reason}; check that the server runs, the address, and that firewalls let it pass"
    )]
    Unreachable {
        /// Host and port.
        address: String,
        /// Why.
        reason: String,
    },
    /// The certificate is not to be trusted.
    #[error("the server's certificate is not accepted: {reason}")]
    Certificate {
        /// Why, and what to do.
        reason: String,
    },
    /// TLS failed in another way.
    #[error("no encrypted connection: {reason}; if the server has no certificate, use http:// in --server")]
    Tls {
        /// Why.
        reason: String,
    },
    /// The key is wrong, revoked or expired.
    #[error(
        "the server refuses the API key ({reason}): make a new one in the dashboard under Keys and give it to this host; \
         trying again slowly"
    )]
    KeyRefused {
        /// The server's words.
        reason: String,
    },
    /// Something else answers at the address.
    #[error("the server answered {status} at {url}: --server is not the address of a Metric Flow server")]
    WrongAddress {
        /// HTTP status.
        status: StatusCode,
        /// What was asked.
        url: String,
    },
    /// Something answers at the address that speaks another language.
    #[error(
        "what answers at {url} is not a Metric Flow server ({reason}): check host and port of --server{tls_hint}"
    )]
    Stranger {
        /// What was asked.
        url: String,
        /// What it said instead.
        reason: String,
        /// That it may be one with a certificate.
        tls_hint: &'static str,
    },
    /// Whoever is at the address hung up before it said anything.
    #[error("{url} hung up before it answered ({reason}); connecting again{tls_hint}")]
    HungUp {
        /// What was asked.
        url: String,
        /// How.
        reason: String,
        /// That it may be one with a certificate.
        tls_hint: &'static str,
    },
    /// The server is there but cannot serve now.
    #[error("the server cannot serve this host now ({reason}); trying again")]
    Unavailable {
        /// The server's words.
        reason: String,
    },
    /// The server speaks another protocol.
    #[error("server and node-client do not understand each other ({reason}): bring both to the same release")]
    Incompatible {
        /// What is different.
        reason: String,
    },
    /// The server ended the connection.
    #[error("the server closed the connection ({code}: {reason}); connecting again")]
    Closed {
        /// WebSocket close code.
        code: u16,
        /// The server's words.
        reason: String,
    },
    /// The connection broke.
    #[error("the connection broke ({reason}); connecting again")]
    Broken {
        /// How.
        reason: String,
    },
    /// The server says nothing any more.
    #[error("the server has been silent for {seconds} s; connecting again")]
    Silent {
        /// How long.
        seconds: u64,
    },
}

impl Trouble {
    /// When to try again.
    pub fn retry(&self) -> Retry {
        match self {
            Self::Unreachable { .. }
            // A proxy whose server is away can answer anything.
            | Self::Stranger { .. }
            | Self::HungUp { .. }
            | Self::Unavailable { .. }
            | Self::Closed { .. }
            | Self::Broken { .. }
            | Self::Silent { .. } => Retry::Soon,
            Self::Certificate { .. }
            | Self::Tls { .. }
            | Self::KeyRefused { .. }
            | Self::WrongAddress { .. }
            | Self::Incompatible { .. } => Retry::Slowly,
        }
    }

    /// The connection broke.
    pub(super) fn broken(error: impl ToString) -> Self {
        Self::Broken {
            reason: error.to_string(),
        }
    }

    /// A TLS handshake failed.
    pub(super) fn from_tls(error: &io::Error) -> Self {
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
        match inner {
            Some(rustls::Error::InvalidCertificate(certificate)) => Self::Certificate {
                reason: certificate_reason(certificate),
            },
            Some(error) => Self::Tls {
                reason: error.to_string(),
            },
            None => Self::broken(error),
        }
    }

    /// A WebSocket handshake failed.
    pub(super) fn from_handshake(error: tungstenite::Error, url: &str) -> Self {
        match error {
            tungstenite::Error::Http(response) => {
                let body = response.body().as_deref().unwrap_or_default();
                Self::from_status(response.status(), body, url)
            }
            tungstenite::Error::Protocol(ProtocolError::SecWebSocketSubProtocolError(_)) => {
                Self::Incompatible {
                    reason: format!("the server does not speak {NODE_SUBPROTOCOL}"),
                }
            }
            error @ (tungstenite::Error::Io(_)
            | tungstenite::Error::Protocol(ProtocolError::HandshakeIncomplete)) => Self::HungUp {
                url: url.to_owned(),
                reason: error.to_string(),
                tls_hint: tls_hint(url),
            },
            error => Self::Stranger {
                url: url.to_owned(),
                reason: error.to_string(),
                tls_hint: tls_hint(url),
            },
        }
    }

    /// The server answered the handshake with an HTTP status.
    pub(super) fn from_status(status: StatusCode, body: &[u8], url: &str) -> Self {
        let words = words_of(body);
        let reason = words.clone().unwrap_or_else(|| status.to_string());
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Self::KeyRefused { reason },
            StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => Self::Unavailable { reason },
            status if status.is_server_error() => Self::Unavailable { reason },
            StatusCode::BAD_REQUEST | StatusCode::UPGRADE_REQUIRED if words.is_some() => {
                Self::Incompatible { reason }
            }
            status => Self::WrongAddress {
                status,
                url: url.to_owned(),
            },
        }
    }

    /// The server closed the connection.
    pub(super) fn from_close(code: u16, reason: &str) -> Self {
        let reason = reason.to_owned();
        match code {
            CLOSE_KEY_REFUSED | CLOSE_FORBIDDEN => Self::KeyRefused { reason },
            CLOSE_PROTOCOL => Self::Incompatible { reason },
            code => Self::Closed { code, reason },
        }
    }
}

impl From<IncompatibleVersion> for Trouble {
    fn from(error: IncompatibleVersion) -> Self {
        Self::Incompatible {
            reason: format!("the server speaks protocol {}", error.theirs),
        }
    }
}

/// A server with a certificate hangs up on those who speak without TLS, or answers with bytes of its own.
fn tls_hint(url: &str) -> &'static str {
    if url.starts_with("ws://") {
        "; if the server has a certificate, use https:// in --server"
    } else {
        ""
    }
}

fn certificate_reason(error: &rustls::CertificateError) -> String {
    use rustls::CertificateError as Certificate;
    match error {
        Certificate::Expired | Certificate::ExpiredContext { .. } => {
            "it has expired; renew it on the server, or set this host's clock if that is wrong".to_owned()
        }
        Certificate::NotValidYet | Certificate::NotValidYetContext { .. } => {
            "it is not valid yet; set this host's clock if that is wrong".to_owned()
        }
        Certificate::UnknownIssuer => {
            "this host does not know who signed it; give that certificate with --ca-file".to_owned()
        }
        Certificate::NotValidForName | Certificate::NotValidForNameContext { .. } => {
            format!("{error}; use the name that is in it with --server")
        }
        error => error.to_string(),
    }
}

/// The server's own words in an error answer.
fn words_of(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Answer {
        error: Words,
    }
    #[derive(Deserialize)]
    struct Words {
        message: String,
    }
    let answer: Answer = serde_json::from_slice(body).ok()?;
    Some(answer.error.message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(status: StatusCode, body: &str) -> (Retry, String) {
        let trouble = Trouble::from_status(status, body.as_bytes(), "http://x/api/v1/node");
        (trouble.retry(), trouble.to_string())
    }

    #[test]
    fn a_refused_key_says_where_to_get_another() {
        let body = r#"{"error":{"code":"bad_key","message":"the key was revoked","hint":""}}"#;
        for refused in [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN] {
            let (retry, text) = status(refused, body);
            assert_eq!(retry, Retry::Slowly);
            assert!(
                text.contains("the key was revoked") && text.contains("Keys"),
                "{text}"
            );
        }
    }

    #[test]
    fn a_stranger_at_the_address_is_told_from_a_connection_that_broke() {
        let handshake = |error, url| {
            let trouble = Trouble::from_handshake(error, url);
            (trouble.retry(), trouble.to_string())
        };
        let old = tungstenite::Error::Protocol(ProtocolError::WrongHttpVersion);
        let (retry, text) = handshake(old, "ws://h:80/api/v1/node");
        assert_eq!(retry, Retry::Soon);
        assert!(
            text.contains("not a Metric Flow server") && text.contains("https://"),
            "{text}"
        );
        let (_, text) = handshake(tungstenite::Error::AttackAttempt, "wss://h/api/v1/node");
        assert!(
            text.contains("check host and port") && !text.contains("https://"),
            "{text}"
        );
        let reset = io::Error::from(io::ErrorKind::ConnectionReset);
        let (_, text) = handshake(reset.into(), "ws://h:80/api/v1/node");
        assert!(
            text.contains("hung up before it answered") && text.contains("https://"),
            "{text}"
        );
    }

    #[test]
    fn only_what_may_pass_by_itself_is_tried_again_soon() {
        assert_eq!(status(StatusCode::SERVICE_UNAVAILABLE, "").0, Retry::Soon);
        assert_eq!(status(StatusCode::TOO_MANY_REQUESTS, "").0, Retry::Soon);
        assert_eq!(status(StatusCode::NOT_FOUND, "<html>").0, Retry::Slowly);
        assert_eq!(status(StatusCode::OK, "<html>").0, Retry::Slowly);
        assert_eq!(Trouble::from_close(1001, "restart").retry(), Retry::Soon);
        assert_eq!(Trouble::from_close(4401, "revoked").retry(), Retry::Slowly);
        assert_eq!(Trouble::from_close(1002, "too new").retry(), Retry::Slowly);
    }
}
