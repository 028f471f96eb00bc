//! What is remembered on a host: what runs, what we opened and shipped, and the releases that can come back.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{error::HostError, target::Target};
use crate::{firewall::Opened, plan::DesiredHost, remote::quote};

/// Releases that are kept for `rollback`.
const KEPT_RELEASES: usize = 10;

/// The file `state.json`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct HostState {
    /// Ports that we opened.
    pub opened: Vec<Opened>,
    /// Ids of images that we shipped.
    pub shipped: Vec<String>,
    /// We enabled the service that starts containers after a reboot.
    pub boot_enabled: bool,
    /// The releases, the newest last.
    pub releases: Vec<Release>,
}

/// What one rollout put in place on this host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Release {
    /// Its id.
    pub id: String,
    /// When it was complete, in milliseconds since 1970 by the deployer's clock.
    pub at_unix_ms: u64,
    /// Who did it: user and machine.
    pub by: String,
    /// What this host was to run.
    pub desired: DesiredHost,
}

impl HostState {
    /// Adds a release, and forgets the oldest ones.
    pub fn add(&mut self, release: Release) {
        self.releases.retain(|known| known.id != release.id);
        self.releases.push(release);
        let surplus = self.releases.len().saturating_sub(KEPT_RELEASES);
        self.releases.drain(..surplus);
    }
}

/// Access to the state files of a host. Each is replaced in one rename, so that a cut connection leaves the old one.
pub struct State<'a>(pub &'a Target);

impl State<'_> {
    /// Reads `state.json`; a host without one has the empty state.
    ///
    /// # Errors
    ///
    /// When the host does not answer or the file makes no sense.
    pub async fn read(&self) -> Result<HostState, HostError> {
        Ok(self.read_file("state.json").await?.unwrap_or_default())
    }

    /// Writes `state.json`.
    ///
    /// # Errors
    ///
    /// When the host does not take it.
    pub async fn write(&self, state: &HostState) -> Result<(), HostError> {
        let text = to_text("state.json", state)?;
        self.write_file("state.json", &text, "600").await
    }

    pub(super) async fn read_file<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, HostError> {
        let command = format!("cat {}/{} 2>/dev/null || true", self.0.folder(), quote(name));
        let text = self.0.shell(&command, b"").await?.stdout;
        if text.is_empty() {
            return Ok(None);
        }
        serde_json::from_slice(&text)
            .map(Some)
            .map_err(|source| HostError::State {
                name: name.to_owned(),
                source,
            })
    }

    /// Writes a file in the state folder. The folder is closed to other users; the content goes through stdin.
    pub(super) async fn write_file(&self, name: &str, content: &[u8], mode: &str) -> Result<(), HostError> {
        let (folder, name) = (self.0.folder(), quote(name));
        let command = format!(
            "umask 077 && mkdir -p {folder}/files && cat > {folder}/{name}.new && chmod {mode} {folder}/{name}.new \
             && mv -f {folder}/{name}.new {folder}/{name}"
        );
        self.0.shell(&command, content).await?;
        Ok(())
    }

    pub(super) async fn remove_file(&self, name: &str) -> Result<(), HostError> {
        self.0
            .shell(&format!("rm -f {}/{}", self.0.folder(), quote(name)), b"")
            .await?;
        Ok(())
    }

    /// Removes everything that we remember on the host, and the folders above that are empty then.
    ///
    /// # Errors
    ///
    /// When the host does not answer.
    pub async fn forget(&self) -> Result<(), HostError> {
        let folder = self.0.folder();
        let command = format!(
            "rm -rf {folder}; cd \"$HOME\" && rmdir .local/state/metric-flow-deployer .local/state .local 2>/dev/null; true"
        );
        self.0.shell(&command, b"").await?;
        Ok(())
    }
}

pub(super) fn to_text<T: Serialize>(name: &str, value: &T) -> Result<Vec<u8>, HostError> {
    serde_json::to_vec(value).map_err(|source| HostError::State {
        name: name.to_owned(),
        source,
    })
}
