//! API keys for the hosts, minted by the server that the rollout has just started: through the host's own loopback, so
//! that neither a firewall nor the network between is in the way.

use std::{collections::BTreeMap, path::PathBuf};

use base64::Engine as _;
use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use rand::Rng as _;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{error::HostError, target::Target};

/// Holds the password of the account that owns the hosts.
const PASSWORD_VARIABLE: &str = "DEPLOYER_ACCOUNT_PASSWORD";
/// The name of the account, where `DEPLOYER_ACCOUNT` gives no other.
const ACCOUNT: &str = "admin";
/// The bytes of a password that we make up: 144 bits, 24 characters.
const PASSWORD_BYTES: usize = 18;
/// The lines of the server's log in which its set-up token is looked for.
const LOG_LINES: u32 = 200;

/// The server that mints keys.
pub(super) struct Server {
    /// Where it runs.
    pub(super) target: Target,
    /// The name of its container there.
    pub(super) container: String,
    /// Its port on that host.
    pub(super) port: u16,
    /// Where the account is written down here.
    pub(super) account_file: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Account {
    name: String,
    password: String,
}

impl Server {
    /// Mints a key for a host.
    pub(super) async fn mint(&self, host: &str) -> Result<String, HostError> {
        let token = self.log_in().await?;
        let body = json!({ "label": host });
        let answer = self
            .call(Method::POST, "/api/v1/keys", Some(&token), &body)
            .await?;
        answer
            .get("key")
            .and_then(Value::as_str)
            .map(str::to_owned)
            .ok_or_else(|| refused("the answer has no key"))
    }

    /// Logs in, after making the first account if there is none yet.
    async fn log_in(&self) -> Result<SecretString, HostError> {
        let account = self.account().await?;
        let status = self
            .call(Method::GET, "/api/v1/status", None, &Value::Null)
            .await?;
        let credentials = json!({ "name": account.name, "password": account.password });
        let answer = if status.get("setup_required").and_then(Value::as_bool) == Some(true) {
            let mut body = BTreeMap::from([("token", self.setup_token().await?)]);
            body.insert("name", account.name.clone());
            body.insert("password", account.password.clone());
            self.call(Method::POST, "/api/v1/setup", None, &json!(body))
                .await?
        } else {
            Value::Null
        };
        let answer = match answer.get("access_token") {
            Some(_) => answer,
            None => {
                self.call(Method::POST, "/api/v1/login", None, &credentials)
                    .await?
            }
        };
        let token = answer.get("access_token").and_then(Value::as_str);
        token
            .map(|token| SecretString::from(token.to_owned()))
            .ok_or_else(|| refused("the answer has no access token"))
    }

    /// The account: as written down here, else with the password of the environment, else with one made up.
    async fn account(&self) -> Result<Account, HostError> {
        let file = |source| HostError::Content {
            name: self.account_file.display().to_string(),
            source,
        };
        if let Ok(text) = tokio::fs::read_to_string(&self.account_file).await {
            return serde_json::from_str(&text).map_err(|error| file(std::io::Error::other(error)));
        }
        let name = std::env::var("DEPLOYER_ACCOUNT").unwrap_or_else(|_| ACCOUNT.to_owned());
        let password = std::env::var(PASSWORD_VARIABLE).unwrap_or_else(|_| {
            let mut bytes = [0u8; PASSWORD_BYTES];
            rand::rng().fill_bytes(&mut bytes);
            base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
        });
        let account = Account { name, password };
        let text = json!(account).to_string();
        super::local::write_private(&self.account_file, text.as_bytes()).map_err(file)?;
        Ok(account)
    }

    /// The one-time token that a fresh server prints.
    async fn setup_token(&self) -> Result<String, HostError> {
        let lines = self.target.engine.last_lines(&self.container, LOG_LINES).await;
        let token = lines.iter().rev().find_map(|line| {
            line.split_once("/setup#")
                .map(|(_, token)| token.trim().to_owned())
        });
        token.ok_or_else(|| refused("the server wants to be set up, but its token is not in its log"))
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        token: Option<&SecretString>,
        body: &Value,
    ) -> Result<Value, HostError> {
        let deadline = self.target.settings.step_timeout;
        let work = async {
            let stream = self
                .target
                .session
                .open_tcp("127.0.0.1", self.port)
                .await
                .map_err(|error| refused(&error.to_string()))?;
            let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
                .await
                .map_err(|error| refused(&error.to_string()))?;
            let driving = tokio::spawn(connection);
            let mut request = Request::builder()
                .method(method)
                .uri(path)
                .header(header::HOST, format!("127.0.0.1:{}", self.port))
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
                .map_err(|error| refused(&error.to_string()))?;
            let answer = sender
                .send_request(request)
                .await
                .map_err(|error| refused(&error.to_string()))?;
            let status = answer.status();
            let body = answer
                .into_body()
                .collect()
                .await
                .map_err(|error| refused(&error.to_string()))?
                .to_bytes();
            driving.abort();
            let value: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
            if status.is_success() {
                return Ok(value);
            }
            let message = value
                .pointer("/error/message")
                .and_then(Value::as_str)
                .unwrap_or("no reason is given");
            Err(refused(&format!("{path} answers {status}: {message}")))
        };
        timeout(deadline, work)
            .await
            .map_err(|_| refused("the server does not answer in time"))?
    }
}

fn refused(reason: &str) -> HostError {
    HostError::Enrolment {
        reason: reason.to_owned(),
    }
}
