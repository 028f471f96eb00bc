//! The hosts' API keys: which there are, and a new one in place of the old without a gap in the data.

use std::path::Path;

use http::Method;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    enrolment::{Server, refused},
    error::HostError,
    rollout::server,
    state::State,
    target::{Fleet, Target},
    undo::file_path,
};
use crate::{
    compose::Project,
    containers::LABEL_SERVICE,
    plan::{DesiredFile, DesiredHost, FileOrigin},
    progress::Silent,
    remote::quote,
};

/// The visible part of a key: what the server lists of it.
const PREFIX_LETTERS: usize = 11;

/// A key, as the server lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedKey {
    /// The server's name for it.
    pub id: String,
    /// Its first letters.
    pub prefix: String,
    /// What it is for: the host's name, when the deployer has minted it.
    pub label: String,
    /// When it was minted, in milliseconds since 1970.
    pub created_unix_ms: i64,
    /// When a host last came with it.
    pub last_used_unix_ms: Option<i64>,
}

/// The server that mints the keys of a project.
pub struct Keys(Server);

impl Keys {
    /// The keys of a project, when it has a service that mints them and that service's host is connected. `account_file`
    /// is where the log-in is written down here.
    #[must_use]
    pub fn of(
        fleet: &Fleet,
        project: &Project,
        desired: &std::collections::BTreeMap<String, DesiredHost>,
        account_file: &Path,
    ) -> Option<Self> {
        server(fleet, project, desired, account_file).map(Self)
    }

    /// Every key of the account.
    ///
    /// # Errors
    ///
    /// When the server cannot be asked.
    pub async fn list(&self) -> Result<Vec<ListedKey>, HostError> {
        let answer = self.0.ask(Method::GET, "/api/v1/keys", &Value::Null).await?;
        let keys = answer.get("keys").unwrap_or(&answer).clone();
        serde_json::from_value(keys)
            .map_err(|error| refused(&format!("the list of keys makes no sense: {error}")))
    }

    /// Gives a host a new key: it is minted and handed over, the containers that use it are started again, and the old
    /// one is revoked once the server has seen a fresh sample of the host. A host that does not come back gets its old
    /// key again. Gives back what was done, as a fragment.
    ///
    /// # Errors
    ///
    /// When the server refuses, or the host does not come back with the new key; the old one is in place then.
    pub async fn rotate(&self, target: &Target, desired: &DesiredHost) -> Result<String, HostError> {
        let mut done = Vec::new();
        for file in &desired.files {
            if matches!(file.origin, FileOrigin::Enrolment { .. }) {
                done.push(self.rotate_one(target, desired, file).await?);
            }
        }
        if done.is_empty() {
            return Ok("no service of this host has a key".to_owned());
        }
        Ok(done.join("; "))
    }

    async fn rotate_one(
        &self,
        target: &Target,
        desired: &DesiredHost,
        file: &DesiredFile,
    ) -> Result<String, HostError> {
        let path = file_path(target, &file.name).await?;
        let old = target.shell(&format!("cat {}", quote(&path)), b"").await?;
        let old = SecretString::from(old.text().trim().to_owned());
        let old_prefix = prefix(&old);
        let known = self.list().await?.into_iter();
        let old_id = known
            .filter(|key| key.prefix == old_prefix)
            .map(|key| key.id)
            .next();

        let body = json!({ "label": target.name() });
        let new = self.0.ask(Method::POST, "/api/v1/keys", &body).await?;
        let field = |name: &str| {
            let value = new.get(name).and_then(Value::as_str).map(str::to_owned);
            value.ok_or_else(|| refused(&format!("the answer has no `{name}`")))
        };
        let (id, key) = (field("id")?, SecretString::from(field("key")?));

        let came = async {
            hand_over(target, desired, file, &key).await?;
            let patience = target.settings.health_timeout;
            self.0.has_fresh_sample(target, patience, &Silent).await
        };
        if let Err(error) = came.await {
            // Back to the key that worked; the new one must not stay, for nobody would know it.
            hand_over(target, desired, file, &old).await?;
            self.revoke(&id).await?;
            return Err(error);
        }
        match old_id {
            Some(old_id) => {
                self.revoke(&old_id).await?;
                Ok(format!(
                    "{old_prefix} is revoked, {} is in its place",
                    prefix(&key)
                ))
            }
            None => Ok(format!(
                "{} is in place; the server did not know the old one",
                prefix(&key)
            )),
        }
    }

    async fn revoke(&self, id: &str) -> Result<(), HostError> {
        let path = format!("/api/v1/keys/{id}");
        self.0.ask(Method::DELETE, &path, &Value::Null).await.map(drop)
    }
}

/// Writes the key where the containers find it, and starts those that use it again.
async fn hand_over(
    target: &Target,
    desired: &DesiredHost,
    file: &DesiredFile,
    key: &SecretString,
) -> Result<(), HostError> {
    let content = key.expose_secret().as_bytes();
    State(target)
        .write_file(
            &format!("files/{}", file.name),
            content,
            &super::apply::mode_of(file),
        )
        .await?;
    let uses = |service: &String| {
        let mut containers = desired.containers.iter();
        containers.any(|container| {
            let files = &container.spec.files;
            container.service == *service && files.iter().any(|used| used.source == file.source)
        })
    };
    for container in target.engine.containers(&target.project).await? {
        if container.labels.get(LABEL_SERVICE).is_some_and(uses) {
            target.engine.stop_container(&container.name, None).await?;
            target.engine.start_container(&container.name).await?;
        }
    }
    Ok(())
}

fn prefix(key: &SecretString) -> String {
    key.expose_secret().chars().take(PREFIX_LETTERS).collect()
}
