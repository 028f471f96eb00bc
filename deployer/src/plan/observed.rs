//! What is on a host now.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::firewall::{FirewallState, Opened};

/// All that a plan has to know of a host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ObservedHost {
    /// The project's containers by name.
    pub containers: BTreeMap<String, ObservedContainer>,
    /// Those image ids and names, of the ones asked for, that the engine has: name to id, and id to itself.
    pub images: BTreeMap<String, String>,
    /// The project's networks.
    pub networks: BTreeSet<String>,
    /// The project's volumes.
    pub volumes: BTreeSet<String>,
    /// Secrets and configs that lie there.
    pub files: BTreeSet<String>,
    /// Its firewall.
    pub firewall: FirewallState,
    /// What we opened.
    pub opened: Vec<Opened>,
    /// Whether containers come back after a reboot; nothing where the engine sees to it by itself.
    pub boot: Option<bool>,
}

impl Default for ObservedHost {
    fn default() -> Self {
        Self {
            containers: BTreeMap::new(),
            images: BTreeMap::new(),
            networks: BTreeSet::new(),
            volumes: BTreeSet::new(),
            files: BTreeSet::new(),
            firewall: FirewallState::NotAsked,
            opened: Vec::new(),
            boot: None,
        }
    }
}

/// A container of the project.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservedContainer {
    /// Its id.
    pub id: String,
    /// The service that it is of.
    pub service: String,
    /// The hash in its labels.
    pub hash: String,
    /// The release that made it.
    pub release: String,
    /// Its image.
    pub image_id: String,
    /// As the engine says: `running`, `exited` and what else there is.
    pub state: String,
    /// `Up 5 minutes (healthy)`.
    pub status: String,
}

impl ObservedContainer {
    /// Whether it runs.
    #[must_use]
    pub fn running(&self) -> bool {
        self.state == "running"
    }

    /// What its healthcheck says, when the engine tells.
    #[must_use]
    pub fn health(&self) -> Option<&str> {
        let (_, after) = self.status.rsplit_once('(')?;
        let health = after.strip_suffix(')')?.trim_start_matches("health: ");
        ["healthy", "unhealthy", "starting"]
            .contains(&health)
            .then_some(health)
    }
}
