//! API keys for the hosts, minted by the server that the rollout has just started, and whether it hears from them.

use std::{collections::BTreeMap, time::Duration};

use http::Method;
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::{
    sync::OnceCell,
    time::{Instant, sleep},
};

use super::{
    account::{self, Account, Origin},
    error::HostError,
    server::{CallError, call},
    target::{Target, chain},
};
use crate::{
    compose::ContainerSpec,
    plan::DesiredContainer,
    progress::{Event, Progress},
};

/// The lines of the server's log in which its set-up token is looked for.
const LOG_LINES: u32 = 200;
/// How often the server is asked for a fresh sample; hosts send one a second.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The server that mints keys.
pub(super) struct Server {
    /// Where it runs.
    pub(super) target: Target,
    /// The name of its container there.
    pub(super) container: String,
    /// Its port on that host.
    pub(super) port: u16,
    /// Where the account is written down here.
    pub(super) account_file: std::path::PathBuf,
    /// The secrets that hold such keys.
    pub(super) secrets: Vec<String>,
    /// One log-in serves all hosts.
    pub(super) token: OnceCell<SecretString>,
}

impl Server {
    /// Mints a key for a host.
    pub(super) async fn mint(&self, host: &str) -> Result<String, HostError> {
        let body = json!({ "label": host });
        let answer = self.ask(Method::POST, "/api/v1/keys", &body).await?;
        answer
            .get("key")
            .and_then(Value::as_str)
            .map(str::to_owned)
            .ok_or_else(|| refused("the answer has no key"))
    }

    /// Whether a container sends samples to this server.
    pub(super) fn hears(&self, container: &DesiredContainer) -> bool {
        let spec: &ContainerSpec = &container.spec;
        spec.files.iter().any(|file| self.secrets.contains(&file.source))
    }

    /// Waits until the server has a sample of the host that is newer than what it has now. An account that we have no
    /// log-in for is somebody else's to look at, and only noted.
    pub(super) async fn has_fresh_sample(
        &self,
        target: &Target,
        deadline: Duration,
        progress: &dyn Progress,
    ) -> Result<(), HostError> {
        let named = "cat /etc/hostname 2>/dev/null || uname -n";
        let host_name = target.shell(named, b"").await?.text().trim().to_owned();
        let until = Instant::now() + deadline;
        let mut before = None;
        loop {
            let seen = match self.ask(Method::GET, "/api/v1/hosts", &Value::Null).await {
                Ok(answer) => Seen::of(&answer, &host_name),
                Err(HostError::NoLogIn { .. }) => {
                    let message = format!(
                        "{}: the server was not asked for its samples: its log-in is not written down here",
                        target.name()
                    );
                    progress.report(Event::Note { message: &message });
                    return Ok(());
                }
                Err(error) => Seen::Silent(chain(&error)),
            };
            if let (Seen::At(now), Some(first)) = (&seen, before)
                && *now > first
            {
                return Ok(());
            }
            match seen {
                Seen::At(time) => before = before.or(Some(time)),
                // Whatever comes now is new.
                Seen::Never => before = Some(i64::MIN),
                _ => {}
            }
            if Instant::now() >= until {
                return Err(HostError::NoSample {
                    host_name,
                    deadline,
                    seen: seen.sentence(),
                });
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// Asks as the account that owns the hosts.
    pub(super) async fn ask(&self, method: Method, path: &str, body: &Value) -> Result<Value, HostError> {
        let token = self.token.get_or_try_init(|| self.log_in()).await?;
        match self.call(method.clone(), path, Some(token), body).await {
            // It has run out: a long rollout.
            Err(error) if error.is_unauthorized() => {
                let token = self.log_in().await?;
                Ok(self.call(method, path, Some(&token), body).await?)
            }
            answer => Ok(answer?),
        }
    }

    async fn log_in(&self) -> Result<SecretString, HostError> {
        let status = self
            .call(Method::GET, "/api/v1/status", None, &Value::Null)
            .await?;
        let fresh = status.get("setup_required").and_then(Value::as_bool) == Some(true);
        let account = Account::find(&self.account_file, fresh)?;
        let answer = if fresh {
            let token = self.setup_token().await?;
            if account.origin == Origin::MadeUp {
                // Before the server knows it: a password that only the server knows would be lost.
                account::keep_for_later(&self.account_file, &account)?;
            }
            let mut body = BTreeMap::from([("token", token)]);
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
                let credentials = json!({ "name": account.name, "password": account.password });
                self.call(Method::POST, "/api/v1/login", None, &credentials)
                    .await?
            }
        };
        let token = answer
            .get("access_token")
            .and_then(Value::as_str)
            .ok_or_else(|| refused("the answer has no access token"))?;
        // Only now: what is written down is a log-in that works.
        account::write_down(&self.account_file, &account)?;
        Ok(SecretString::from(token.to_owned()))
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
    ) -> Result<Value, CallError> {
        call(&self.target, self.port, method, path, token, body).await
    }
}

/// What the server knows of a host.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    /// It cannot be asked.
    Silent(String),
    /// Nothing.
    Never,
    /// It is not connected now.
    Offline,
    /// The host's own time of its newest sample; only compared with itself.
    At(i64),
}

impl Seen {
    fn of(answer: &Value, host_name: &str) -> Self {
        let hosts = answer.get("hosts").and_then(Value::as_array);
        let called = |host: &&Value| {
            let name = host.pointer("/facts/host_name").or_else(|| host.get("name"));
            name.and_then(Value::as_str) == Some(host_name)
        };
        let mut found = hosts.into_iter().flatten().filter(called).peekable();
        if found.peek().is_none() {
            return Self::Never;
        }
        let online = found.filter(|host| host.get("online").and_then(Value::as_bool) == Some(true));
        let times = online.filter_map(|host| host.pointer("/latest/time_unix_ms").and_then(Value::as_i64));
        times.max().map_or(Self::Offline, Self::At)
    }

    fn sentence(self) -> String {
        match self {
            Self::Silent(reason) => format!("it cannot be asked: {reason}"),
            Self::Never => "it has never heard of it".to_owned(),
            Self::Offline => "it is not connected".to_owned(),
            Self::At(_) => "it is connected and sends nothing".to_owned(),
        }
    }
}

impl From<CallError> for HostError {
    fn from(error: CallError) -> Self {
        refused(&error.to_string())
    }
}

pub(super) fn refused(reason: &str) -> HostError {
    HostError::Enrolment {
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_counts_only_while_its_host_is_connected() {
        let host = |online: bool, time: i64| {
            json!({ "name": "renamed", "online": online, "facts": { "host_name": "node1" },
                "latest": { "time_unix_ms": time } })
        };
        let seen = |hosts: Vec<Value>| Seen::of(&json!({ "hosts": hosts }), "node1");
        assert_eq!(seen(Vec::new()), Seen::Never);
        assert_eq!(seen(vec![host(false, 5)]), Seen::Offline);
        assert_eq!(seen(vec![host(false, 9), host(true, 5)]), Seen::At(5));
        assert_eq!(
            Seen::of(&json!({ "hosts": [host(true, 5)] }), "node2"),
            Seen::Never
        );
    }
}
