//! The hosts with an open connection each.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures_util::{StreamExt as _, stream};
use tokio::time::timeout;

use super::error::HostError;
use crate::{
    containers::Engine,
    inventory::{Host, Inventory, LabSettings},
    remote::{Connector, ExecError, Output, Session, quote},
};

/// Where the deployer keeps what it has to remember on a host, from the home folder of the user that logs in.
const STATE_FOLDER: &str = ".local/state/metric-flow-deployer";

/// A host with an open connection.
#[derive(Clone)]
pub struct Target {
    /// Commands.
    pub session: Arc<Session>,
    /// Its engine.
    pub engine: Engine,
    /// The project's name.
    pub project: String,
    /// Deadlines.
    pub settings: LabSettings,
}

impl Target {
    /// Connects, and sees that the engine answers.
    ///
    /// # Errors
    ///
    /// Why there is no connection, or no engine.
    pub async fn open(
        connector: &Connector,
        host: &Host,
        inventory: &Inventory,
        project: &str,
    ) -> Result<Self, HostError> {
        let session = Arc::new(connector.connect(host, inventory).await?);
        let opener = Arc::clone(&session);
        let engine = Engine::over(&host.name, move || {
            let session = Arc::clone(&opener);
            async move { session.open_engine().await }
        })?;
        let target = Self {
            session,
            engine,
            project: project.to_owned(),
            settings: inventory.lab.clone(),
        };
        match timeout(target.settings.connect_timeout, target.engine.ping()).await {
            Ok(Ok(())) => Ok(target),
            other => {
                let said = match other {
                    Ok(Err(error)) => chain(&error),
                    _ => format!("no answer within {} s", target.settings.connect_timeout.as_secs()),
                };
                Err(HostError::NoEngine {
                    reason: target.why_no_engine(said).await,
                })
            }
        }
    }

    /// The host's name in hosts.toml.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.session.host().name
    }

    /// Runs a shell command that has to succeed.
    ///
    /// # Errors
    ///
    /// When it fails or takes longer than a step may.
    pub async fn shell(&self, command: &str, stdin: &[u8]) -> Result<Output, ExecError> {
        self.session
            .exec_ok(command, stdin, self.settings.step_timeout)
            .await
    }

    /// The folder on the host with what has to be remembered, as a word for the shell.
    #[must_use]
    pub fn folder(&self) -> String {
        format!("\"$HOME\"/{STATE_FOLDER}/{}", quote(&self.project))
    }

    /// Asks the host itself why its engine does not answer: sshd gives the same answer for every cause.
    async fn why_no_engine(&self, said: String) -> String {
        let sudo = self.session.sudo();
        let probe = format!(
            "command -v podman >/dev/null || command -v docker >/dev/null || {{ echo 'no engine is installed'; exit 0; }}; \
             {}\
             systemctl -q is-active podman.socket || systemctl -q is-active docker.socket || echo 'podman.socket is not active'; \
             [ -z \"$(sshd -T 2>/dev/null | grep -i 'allowstreamlocalforwarding no')\" ] || echo 'sshd forbids AllowStreamLocalForwarding'",
            if sudo.is_empty() {
                String::new()
            } else {
                format!("{sudo}true 2>/dev/null || {{ echo 'sudo asks for a password'; exit 0; }}; ")
            }
        );
        let found = self
            .session
            .exec(&probe, b"", self.settings.connect_timeout)
            .await;
        match found.map(|output| output.text().trim().replace('\n', ", ")) {
            Ok(found) if !found.is_empty() => found,
            _ => said,
        }
    }
}

/// An error with its sources in one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        let more = source.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        next = source.source();
    }
    text
}

/// All hosts of an inventory.
pub struct Fleet {
    /// Those that answered, by name.
    pub targets: BTreeMap<String, Target>,
    /// Those that did not, and why.
    pub unreachable: BTreeMap<String, HostError>,
    /// Hosts worked on at once.
    pub parallel: usize,
}

impl Fleet {
    /// Connects to some hosts of `inventory`, side by side.
    pub async fn open_some(
        connector: &Connector,
        hosts: &[Host],
        inventory: &Inventory,
        project: &str,
    ) -> Self {
        let parallel = inventory.lab.parallel;
        let mut opened: Vec<(String, Result<Target, HostError>)> = stream::iter(hosts)
            .map(|host| async move {
                (
                    host.name.clone(),
                    Target::open(connector, host, inventory, project).await,
                )
            })
            .buffer_unordered(parallel)
            .collect()
            .await;
        opened.sort_by(|(one, _), (other, _)| one.cmp(other));
        let mut fleet = Self {
            targets: BTreeMap::new(),
            unreachable: BTreeMap::new(),
            parallel,
        };
        for (name, outcome) in opened {
            match outcome {
                Ok(target) => _ = fleet.targets.insert(name, target),
                Err(error) => _ = fleet.unreachable.insert(name, error),
            }
        }
        fleet
    }

    /// Does something on every host, side by side; the results are by host name.
    pub async fn each<'a, T, F>(&'a self, work: impl Fn(&'a Target) -> F) -> BTreeMap<String, T>
    where
        F: Future<Output = T> + 'a,
    {
        let work = &work;
        stream::iter(self.targets.values())
            .map(|target| async move { (target.name().to_owned(), work(target).await) })
            .buffer_unordered(self.parallel)
            .collect()
            .await
    }

    /// Says goodbye to all.
    pub async fn close(&self) {
        self.each(|target| target.session.close()).await;
    }
}

/// A step under its deadline.
pub(super) async fn within<T>(
    deadline: Duration,
    doing: &str,
    work: impl Future<Output = Result<T, HostError>>,
) -> Result<T, HostError> {
    let late = |_| HostError::Deadline {
        doing: doing.to_owned(),
        deadline,
    };
    timeout(deadline, work).await.map_err(late)?
}
