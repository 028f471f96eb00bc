//! The hosts with an open connection each.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures_util::{StreamExt as _, stream};
use tokio::time::timeout;

use super::{error::HostError, link::Link};
use crate::{
    containers::Engine,
    inventory::{EngineKind, Host, Inventory, LabSettings},
    remote::{Connector, DIAL, ExecError, Output, Session, quote},
};

/// Where the deployer keeps what it has to remember on a host, from the home folder of the user that logs in.
const STATE_FOLDER: &str = ".local/state/metric-flow-deployer";

/// How many times the deadline of connecting a host may take to come back: a minute by default, enough to boot.
const REACH_AGAIN: u32 = 4;

/// A host with an open connection.
#[derive(Clone)]
pub struct Target {
    /// The way there.
    pub link: Arc<Link>,
    /// Its engine.
    pub engine: Engine,
    /// The project's name.
    pub project: String,
    /// Deadlines.
    pub settings: LabSettings,
}

impl Target {
    /// Connects. The engine is not asked yet.
    ///
    /// # Errors
    ///
    /// Why there is no connection.
    pub async fn reach(
        connector: &Connector,
        host: &Host,
        inventory: &Inventory,
        project: &str,
    ) -> Result<Self, HostError> {
        let link = Arc::new(Link::open(connector, host, inventory).await?);
        let opener = Arc::clone(&link);
        let engine = Engine::over(&host.name, move || {
            let session = opener.session();
            async move { session.open_engine().await }
        })?;
        Ok(Self {
            link,
            engine,
            project: project.to_owned(),
            settings: inventory.lab.clone(),
        })
    }

    /// Sees that the engine answers.
    ///
    /// # Errors
    ///
    /// Why it does not.
    pub async fn ready(&self) -> Result<(), HostError> {
        let said = match timeout(self.settings.connect_timeout, self.engine.ping()).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => chain(&error),
            Err(_) => format!("no answer within {} s", self.settings.connect_timeout.as_secs()),
        };
        Err(HostError::NoEngine {
            reason: self.why_no_engine(said).await,
        })
    }

    /// The host's name in hosts.toml.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.host().name
    }

    /// What hosts.toml says of it.
    #[must_use]
    pub fn host(&self) -> &Host {
        self.link.host()
    }

    /// Commands.
    #[must_use]
    pub fn session(&self) -> Arc<Session> {
        self.link.session()
    }

    /// The words that a command of root begins with: none for root itself.
    #[must_use]
    pub fn sudo(&self) -> &'static str {
        self.session().sudo()
    }

    /// Connects again when the connection has ended. A host that was cut off or reboots has some time for it.
    ///
    /// # Errors
    ///
    /// When it does not come back.
    pub async fn reconnect(&self) -> Result<(), HostError> {
        let patience = self.settings.connect_timeout * REACH_AGAIN;
        Ok(self.link.again(patience).await?)
    }

    /// Runs a shell command that has to succeed.
    ///
    /// # Errors
    ///
    /// When it fails or takes longer than a step may.
    pub async fn shell(&self, command: &str, stdin: &[u8]) -> Result<Output, ExecError> {
        self.session()
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
        // What the way in itself says is the best reason: sudo and Podman name theirs.
        let dial = match (self.host().engine, self.sudo()) {
            (EngineKind::Podman, sudo) if !sudo.is_empty() => DIAL.trim_start_matches("exec "),
            _ => "true",
        };
        let probe = format!(
            "command -v podman >/dev/null || command -v docker >/dev/null || {{ echo 'no engine is installed'; exit 0; }}; \
             said=$(timeout 5 {dial} </dev/null 2>&1 >/dev/null) || true; \
             case $said in *'password is required'*) echo 'sudo asks for a password'; exit 0;; esac; \
             systemctl -q is-active podman.socket || systemctl -q is-active docker.socket || echo 'podman.socket is not active'; \
             [ -z \"$(sshd -T 2>/dev/null | grep -i 'allowstreamlocalforwarding no')\" ] || echo 'sshd forbids AllowStreamLocalForwarding'; \
             printf '%s\\n' \"$said\" | head -n 1"
        );
        let found = self
            .session()
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
    /// Connects to some hosts of `inventory`, side by side, and sees that their engines answer.
    pub async fn open_some(
        connector: &Connector,
        hosts: &[Host],
        inventory: &Inventory,
        project: &str,
    ) -> Self {
        let reached = Self::reach_some(connector, hosts, inventory, project).await;
        reached.ready().await
    }

    /// Connects to some hosts of `inventory`, side by side. Their engines are not asked yet: see [`Fleet::ready`].
    pub async fn reach_some(
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
                    Target::reach(connector, host, inventory, project).await,
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

    /// Sees that the engines answer; a host whose engine does not counts as one that cannot be reached.
    pub async fn ready(mut self) -> Self {
        for (name, answer) in self.each(Target::ready).await {
            if let Err(error) = answer {
                self.targets.remove(&name);
                self.unreachable.insert(name, error);
            }
        }
        self
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
        self.each(|target| async move { target.session().close().await })
            .await;
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
