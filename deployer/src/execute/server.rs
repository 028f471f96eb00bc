//! Talking to the project's own server: through the loopback of the host that runs it, so that neither a firewall nor
//! the network between is in the way.

use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use tokio::time::timeout;

use super::target::Target;

/// Why the server did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum CallError {
    /// It is not to be reached.
    #[error("it cannot be reached: {0}")]
    Unreachable(String),
    /// It gave no answer.
    #[error("it does not answer in time")]
    Late,
    /// It refuses.
    #[error("{path} answers {status}: {message}")]
    Refused {
        /// What was asked.
        path: String,
        /// The HTTP status.
        status: StatusCode,
        /// Its own words.
        message: String,
    },
}

impl CallError {
    /// Whether the access token is not good, or not any more.
    pub(super) fn is_unauthorized(&self) -> bool {
        matches!(self, Self::Refused { status, .. } if *status == StatusCode::UNAUTHORIZED)
    }
}

/// Puts one question to the server at a port of a host.
pub(super) async fn call(
    target: &Target,
    port: u16,
    method: Method,
    path: &str,
    token: Option<&SecretString>,
    body: &Value,
) -> Result<Value, CallError> {
    let asking = exchange(target, port, method, path, token, body);
    timeout(target.settings.step_timeout, asking)
        .await
        .map_err(|_| CallError::Late)?
}

async fn exchange(
    target: &Target,
    port: u16,
    method: Method,
    path: &str,
    token: Option<&SecretString>,
    body: &Value,
) -> Result<Value, CallError> {
    let unreachable = |error: &dyn std::error::Error| CallError::Unreachable(error.to_string());
    let stream = target
        .session()
        .open_tcp("127.0.0.1", port)
        .await
        .map_err(|error| unreachable(&error))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| unreachable(&error))?;
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, format!("127.0.0.1:{port}"))
        .header(header::CONTENT_TYPE, "application/json");
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {}", token.expose_secret()));
    }
    let bytes = if body.is_null() {
        Bytes::new()
    } else {
        Bytes::from(body.to_string())
    };
    let request = request
        .body(Full::new(bytes))
        .map_err(|error| unreachable(&error))?;
    let talking = async move {
        let answer = sender.send_request(request).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        // The connection ends with its sender.
        drop(sender);
        Ok::<_, hyper::Error>((status, body))
    };
    // The connection is driven here and ends here; how it ends tells nothing that the answer does not.
    let (answer, _) = tokio::join!(talking, connection);
    let (status, body) = answer.map_err(|error| unreachable(&error))?;
    let value: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    if status.is_success() {
        return Ok(value);
    }
    let message = value.pointer("/error/message").and_then(Value::as_str);
    Err(CallError::Refused {
        path: path.to_owned(),
        status,
        message: message.unwrap_or("no reason is given").to_owned(),
    })
}
