//! The few calls of the server's HTTP API that the demonstration makes.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use ureq::Agent;

/// A call that takes longer hangs. Hashing a password takes about 0.3 s on an idle machine.
const CALL_DEADLINE: Duration = Duration::from_secs(60);

/// A logged-in account.
#[derive(Debug)]
pub(super) struct Api {
    agent: Agent,
    origin: String,
    access_token: String,
}

impl Api {
    /// Makes the first account with the token of the set-up link.
    pub(super) fn set_up(origin: &str, token: &str, name: &str, password: &str) -> Result<Self> {
        let agent = Agent::config_builder()
            .timeout_global(Some(CALL_DEADLINE))
            .http_status_as_error(false)
            .build()
            .new_agent();
        let mut api = Self {
            agent,
            origin: origin.to_owned(),
            access_token: String::new(),
        };
        let account = api.post(
            "/api/v1/setup",
            &json!({ "token": token, "name": name, "password": password }),
        )?;
        api.access_token = text(&account, "access_token")?;
        Ok(api)
    }

    /// Makes an API key.
    pub(super) fn create_key(&self, label: &str) -> Result<String> {
        text(&self.post("/api/v1/keys", &json!({ "label": label }))?, "key")
    }

    /// A ticket for one live socket.
    pub(super) fn ticket(&self) -> Result<String> {
        text(&self.post("/api/v1/live/ticket", &json!({}))?, "ticket")
    }

    /// The server's origin, as browsers send it.
    pub(super) fn origin(&self) -> &str {
        &self.origin
    }

    fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let mut request = self
            .agent
            .post(format!("{}{path}", self.origin))
            .header("origin", &self.origin);
        if !self.access_token.is_empty() {
            request = request.header("authorization", format!("Bearer {}", self.access_token));
        }
        let mut response = request
            .send_json(body)
            .with_context(|| format!("POST {path} failed"))?;
        let answer = response
            .body_mut()
            .read_to_string()
            .with_context(|| format!("POST {path} broke off"))?;
        if !response.status().is_success() {
            bail!("POST {path} was refused ({}): {answer}", response.status());
        }
        serde_json::from_str(&answer)
            .with_context(|| format!("the answer to POST {path} is not JSON: {answer}"))
    }
}

fn text(answer: &Value, field: &str) -> Result<String> {
    answer[field]
        .as_str()
        .map(str::to_owned)
        .with_context(|| format!("the answer has no \"{field}\""))
}
