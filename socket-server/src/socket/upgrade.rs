//! The WebSocket handshake (RFC 6455 §4.2), by hand: warp's own filter fixes buffers of 128 KiB for each socket
//! and starts tasks that nobody owns.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use thiserror::Error;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use warp::reply::Response;

/// Why a request does not become a WebSocket.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum UpgradeError {
    /// Not a WebSocket handshake at all.
    #[error("this address speaks WebSocket: {0}")]
    NotAHandshake(&'static str),
    /// Another version of WebSocket.
    #[error("Sec-WebSocket-Version must be 13")]
    WrongVersion,
    /// The key is not 16 bytes in base64.
    #[error("Sec-WebSocket-Key must be 16 bytes in base64")]
    BadKey,
    /// No subprotocol that this server speaks.
    #[error("Sec-WebSocket-Protocol must name one of: {spoken}")]
    UnknownSubprotocol {
        /// Those that it speaks.
        spoken: String,
    },
}

/// Checks a handshake and makes the answer to it; returns the subprotocol that was agreed on.
///
/// # Errors
/// When a rule of RFC 6455 §4.2.1 is broken, or no subprotocol of the client's is among `spoken`.
pub fn accept_upgrade(
    headers: &HeaderMap,
    is_http_11: bool,
    spoken: &[&'static str],
) -> Result<(Response, &'static str), UpgradeError> {
    if !is_http_11 {
        return Err(UpgradeError::NotAHandshake("use HTTP/1.1"));
    }
    if !has_token(headers, header::CONNECTION, "upgrade") {
        return Err(UpgradeError::NotAHandshake(
            "the header `Connection: Upgrade` is missing",
        ));
    }
    if !has_token(headers, header::UPGRADE, "websocket") {
        return Err(UpgradeError::NotAHandshake(
            "the header `Upgrade: websocket` is missing",
        ));
    }
    if headers
        .get(header::SEC_WEBSOCKET_VERSION)
        .is_none_or(|version| version != "13")
    {
        return Err(UpgradeError::WrongVersion);
    }
    let mut keys = headers.get_all(header::SEC_WEBSOCKET_KEY).iter();
    let key = match (keys.next(), keys.next()) {
        (Some(key), None) if STANDARD.decode(key).is_ok_and(|bytes| bytes.len() == 16) => key,
        _ => return Err(UpgradeError::BadKey),
    };
    let agreed = tokens(headers, header::SEC_WEBSOCKET_PROTOCOL)
        .find_map(|offered| spoken.iter().find(|name| **name == offered))
        .ok_or_else(|| UpgradeError::UnknownSubprotocol {
            spoken: spoken.join(", "),
        })?;
    let mut response = Response::default();
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let answer = response.headers_mut();
    answer.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    answer.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    answer.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(agreed));
    let accept = derive_accept_key(key.as_bytes());
    answer.insert(
        header::SEC_WEBSOCKET_ACCEPT,
        HeaderValue::from_str(&accept).map_err(|_| UpgradeError::BadKey)?,
    );
    Ok((response, agreed))
}

fn tokens(headers: &HeaderMap, name: header::HeaderName) -> impl Iterator<Item = &str> {
    headers
        .get_all(name)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
}

fn has_token(headers: &HeaderMap, name: header::HeaderName, token: &str) -> bool {
    tokens(headers, name).any(|value| value.eq_ignore_ascii_case(token))
}
