//! Containers as the engine describes them. The answers are read by types of our own: Podman has states that bollard's
//! types do not know, and one container in such a state would make a whole listing unreadable.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use url::form_urlencoded;

use super::{
    engine::Engine,
    error::EngineError,
    labelled::{Labels, with_label},
    workload::{Condition, LABEL_PROJECT, Listed},
};

/// A container, whatever its state is called.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Entry {
    #[serde(deserialize_with = "or_default")]
    id: String,
    #[serde(deserialize_with = "or_default")]
    names: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    pub(super) labels: Labels,
    #[serde(rename = "ImageID", deserialize_with = "or_default")]
    image_id: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) state: String,
    #[serde(deserialize_with = "or_default")]
    status: String,
    #[serde(deserialize_with = "or_default")]
    network_settings: Attached,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Attached {
    #[serde(deserialize_with = "or_default")]
    networks: HashMap<String, serde::de::IgnoredAny>,
}

impl Entry {
    /// Its first name, without the slash that the API puts before it.
    pub(super) fn name(&self) -> String {
        let first = self.names.first().map(String::as_str).unwrap_or_default();
        first.trim_start_matches('/').to_owned()
    }

    /// The networks that it is on.
    pub(super) fn networks(&self) -> Vec<String> {
        self.network_settings.networks.keys().cloned().collect()
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Inspected {
    #[serde(deserialize_with = "or_default")]
    restart_count: i64,
    #[serde(deserialize_with = "or_default")]
    state: InspectedState,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct InspectedState {
    #[serde(deserialize_with = "or_default")]
    status: String,
    #[serde(deserialize_with = "or_default")]
    running: bool,
    exit_code: Option<i64>,
    #[serde(deserialize_with = "or_default")]
    started_at: String,
    #[serde(deserialize_with = "or_default")]
    health: InspectedHealth,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct InspectedHealth {
    #[serde(deserialize_with = "or_default")]
    status: String,
    #[serde(deserialize_with = "or_default")]
    log: Vec<Checked>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Checked {
    #[serde(deserialize_with = "or_default")]
    output: String,
}

/// Engines write `null` where a list or a text is empty.
fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(from: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

impl Engine {
    /// The containers that carry `label=value`, running or not.
    pub(super) async fn entries(&self, label: &str, value: &str) -> Result<Vec<Entry>, EngineError> {
        self.entries_that(&with_label(label, value)).await
    }

    /// The containers that pass these filters, running or not.
    async fn entries_that(&self, filters: &HashMap<String, Vec<String>>) -> Result<Vec<Entry>, EngineError> {
        let filters = serde_json::to_string(filters).unwrap_or_default();
        let query: String = form_urlencoded::Serializer::new(String::new())
            .append_pair("all", "true")
            .append_pair("filters", &filters)
            .finish();
        self.read(&format!("/containers/json?{query}"), "list the containers")
            .await
    }

    /// The containers of a project, running or not.
    ///
    /// # Errors
    ///
    /// When the engine does not answer.
    pub async fn containers(&self, project: &str) -> Result<Vec<Listed>, EngineError> {
        let found = self.entries(LABEL_PROJECT, project).await?;
        // Podman's listing, unlike Docker's, does not say which are unhealthy; both find them.
        let mut unhealthy = with_label(LABEL_PROJECT, project);
        unhealthy.insert("health".to_owned(), vec!["unhealthy".to_owned()]);
        let sick = self.entries_that(&unhealthy).await?;
        let sick: HashSet<String> = sick.into_iter().map(|entry| entry.id).collect();
        let status = |entry: &Entry| {
            let untold = sick.contains(&entry.id) && !entry.status.contains("(unhealthy)");
            format!("{}{}", entry.status, if untold { " (unhealthy)" } else { "" })
        };
        let listed = found.into_iter().map(|entry| Listed {
            name: entry.name(),
            status: status(&entry),
            id: entry.id,
            labels: entry.labels,
            image_id: entry.image_id,
            state: entry.state,
        });
        Ok(listed.collect())
    }

    /// How a container does.
    ///
    /// # Errors
    ///
    /// When it is not there or the engine does not answer.
    pub async fn condition(&self, name: &str) -> Result<Condition, EngineError> {
        let name: String = form_urlencoded::byte_serialize(name.as_bytes()).collect();
        let found: Inspected = self
            .read(&format!("/containers/{name}/json"), &format!("look at {name}"))
            .await?;
        let InspectedState {
            status,
            running,
            exit_code,
            started_at,
            health,
        } = found.state;
        Ok(Condition {
            state: status,
            running,
            exit_code,
            restarts: found.restart_count,
            health: Some(health.status).filter(|word| !word.is_empty() && word != "none"),
            health_output: health.log.into_iter().next_back().map(|last| last.output),
            started_at,
        })
    }

    async fn read<T: DeserializeOwned>(&self, path: &str, action: &str) -> Result<T, EngineError> {
        let body = self.asker().get(path).await.map_err(self.failed(action))?;
        serde_json::from_slice(&body).map_err(|error| self.failed(action)(error.into()))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "a test fails by panicking")]

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    /// Words of Podman's, of Podmans to come, and one of nobody's. Other clients lose a whole listing over them.
    const STATES: [&str; 8] = [
        "stopped",
        "stopping",
        "initialized",
        "removing",
        "configured",
        "unknown",
        "restoring",
        "hibernating",
    ];

    /// An engine that gives one answer to everything.
    fn engine(answer: &str) -> Engine {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length:";
        let answer = format!("{head} {}\r\n\r\n{answer}", answer.len());
        Engine::over("a pipe", move || {
            let answer = answer.clone();
            async move {
                let (near, mut far) = tokio::io::duplex(65_536);
                tokio::spawn(async move {
                    let mut request = vec![0; 4096];
                    let _ = far.read(&mut request).await;
                    let _ = far.write_all(answer.as_bytes()).await;
                });
                Ok(near)
            }
        })
        .expect("a client")
    }

    #[tokio::test]
    async fn a_state_that_nobody_has_heard_of_hides_no_other_container() {
        for state in STATES {
            let answer = format!(
                r#"[{{"Id":"a","Names":["/one"],"State":"{state}","Labels":null,"ImageID":"i","Status":""}},
                    {{"Id":"b","Names":["/two"],"State":"hidden","Labels":{{"k":"v"}},"NetworkSettings":{{"Networks":{{"n":{{}}}}}}}},
                    {{"Id":"c","Names":null,"State":"running"}}]"#
            );
            let found = engine(&answer).containers("demo").await.expect("a listing");
            let states: Vec<&str> = found.iter().map(|one| one.state.as_str()).collect();
            assert_eq!(states, [state, "hidden", "running"]);
            assert_eq!(found[1].name, "two");
        }
    }

    #[tokio::test]
    async fn a_container_is_described_in_any_state() {
        for state in STATES {
            let answer = format!(
                r#"{{"RestartCount":2,"State":{{"Status":"{state}","Running":false,"ExitCode":0,
                    "StartedAt":"0001-01-01T00:00:00Z","Health":{{"Status":"","FailingStreak":0,"Log":null}}}}}}"#
            );
            let condition = engine(&answer).condition("one").await.expect("a condition");
            assert_eq!((condition.state.as_str(), condition.restarts), (state, 2));
            assert!(!condition.running);
            assert_eq!((condition.health, condition.health_output), (None, None));
        }
    }
}
