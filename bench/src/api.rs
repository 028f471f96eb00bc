//! A small client of the server's HTTP API, enough to make an account, keys and tickets.

use http::{Method, Request, header};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use thiserror::Error;
use tokio::net::TcpStream;

/// Why a call of the API failed.
#[derive(Debug, Error)]
pub enum ApiError {
    /// The server cannot be reached.
    #[error("cannot reach the server: {0}")]
    Connect(#[from] std::io::Error),
    /// The exchange broke off.
    #[error("the exchange with the server broke off: {0}")]
    Exchange(#[from] hyper::Error),
    /// The request could not be built.
    #[error("cannot build the request: {0}")]
    Request(#[from] http::Error),
    /// The server refused.
    #[error("{path} answered {status}: {body}")]
    Refused {
        /// What was asked.
        path: String,
        /// The HTTP status.
        status: u16,
        /// The answer's text.
        body: String,
    },
    /// The answer lacks something.
    #[error("the answer of {path} has no {field}")]
    Missing {
        /// What was asked.
        path: String,
        /// The field.
        field: &'static str,
    },
}

/// Speaks to one server as one account.
#[derive(Debug, Clone)]
pub struct ApiClient {
    /// `127.0.0.1:PORT` of the server.
    pub authority: String,
    access_token: String,
}

impl ApiClient {
    /// Makes the first account with the set-up token that a fresh server prints.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses.
    pub async fn set_up(authority: &str, token: &str, name: &str, password: &str) -> Result<Self, ApiError> {
        let body = json!({"token": token, "name": name, "password": password});
        Self::begin(authority, "/api/v1/setup", &body).await
    }

    /// Logs in.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses.
    pub async fn log_in(authority: &str, name: &str, password: &str) -> Result<Self, ApiError> {
        Self::begin(
            authority,
            "/api/v1/login",
            &json!({"name": name, "password": password}),
        )
        .await
    }

    /// Makes an API key.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses.
    pub async fn create_key(&self, label: &str) -> Result<String, ApiError> {
        let path = "/api/v1/keys";
        let answer = self
            .call(Method::POST, path, Some(&json!({"label": label})))
            .await?;
        field(&answer, path, "key")
    }

    /// Buys a ticket for one live socket.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses.
    pub async fn live_ticket(&self) -> Result<String, ApiError> {
        let path = "/api/v1/live/ticket";
        field(&self.call(Method::POST, path, None).await?, path, "ticket")
    }

    /// Calls any path as this account.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses.
    pub async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, ApiError> {
        let text = exchange(&self.authority, method, path, Some(&self.access_token), body).await?;
        Ok(serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// Gets any path as this account and leaves the answer as it is.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses.
    pub async fn text(&self, path: &str) -> Result<String, ApiError> {
        exchange(&self.authority, Method::GET, path, Some(&self.access_token), None).await
    }

    /// A counter or gauge of the server's own metrics; 0 when it has none of that name.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses.
    pub async fn metric(&self, name: &str) -> Result<f64, ApiError> {
        let text = self.text("/metrics").await?;
        let value = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
        Ok(value.unwrap_or(0.0))
    }

    async fn begin(authority: &str, path: &str, body: &Value) -> Result<Self, ApiError> {
        let text = exchange(authority, Method::POST, path, None, Some(body)).await?;
        let answer = serde_json::from_str(&text).unwrap_or(Value::Null);
        Ok(Self {
            authority: authority.to_owned(),
            access_token: field(&answer, path, "access_token")?,
        })
    }
}

fn field(answer: &Value, path: &str, field: &'static str) -> Result<String, ApiError> {
    answer[field]
        .as_str()
        .map(str::to_owned)
        .ok_or_else(|| ApiError::Missing {
            path: path.to_owned(),
            field,
        })
}

async fn exchange(
    authority: &str,
    method: Method,
    path: &str,
    token: Option<&str>,
    body: Option<&Value>,
) -> Result<String, ApiError> {
    let stream = TcpStream::connect(authority).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, authority)
        .header(header::ORIGIN, format!("http://{authority}"))
        .header(header::CONTENT_TYPE, "application/json");
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    let bytes = body.map(Value::to_string).unwrap_or_default();
    let request = request.body(Full::new(bytes::Bytes::from(bytes)))?;
    let answer = async move {
        let response = sender.send_request(request).await?;
        let status = response.status();
        Ok::<_, hyper::Error>((status, response.into_body().collect().await?.to_bytes()))
    };
    // The connection ends once its sender is dropped, so both can be awaited together.
    let (answer, _connection_end) = tokio::join!(answer, connection);
    let (status, bytes) = answer?;
    let body = String::from_utf8_lossy(&bytes).into_owned();
    if !status.is_success() {
        return Err(ApiError::Refused {
            path: path.to_owned(),
            status: status.as_u16(),
            body,
        });
    }
    Ok(body)
}
