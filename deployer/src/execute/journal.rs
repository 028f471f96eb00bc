//! The journal of a rollout on a host: how to put back each change, written before the change is made.

use serde::{Deserialize, Serialize};

use super::{
    error::HostError,
    state::{State, to_text},
    target::Target,
};
use crate::firewall::PortRule;

const FILE: &str = "journal.json";

/// How one change is put back. Each can be done again without harm, for a rollback may be cut off too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "undo", rename_all = "snake_case")]
pub enum Undo {
    /// Remove a container that was not there.
    RemoveContainer {
        /// Which.
        name: String,
    },
    /// Bring back the container that was replaced.
    RestoreContainer {
        /// Its name.
        name: String,
        /// What it is called meanwhile.
        kept_as: String,
        /// It ran.
        was_running: bool,
    },
    /// Stop a container that did not run.
    StopContainer {
        /// Which.
        name: String,
    },
    /// Close ports that were closed.
    ClosePorts {
        /// In which zone.
        zone: String,
        /// Which.
        rules: Vec<PortRule>,
        /// For the next boot.
        permanent: bool,
    },
    /// Have containers stay down after a reboot, as before.
    DisableBoot,
    /// Remove a network that was not there.
    RemoveNetwork {
        /// Which.
        name: String,
    },
    /// Remove a volume that was not there.
    RemoveVolume {
        /// Which.
        name: String,
    },
    /// Remove an image that was not there.
    RemoveImage {
        /// Its id or name.
        image: String,
    },
    /// Remove a secret or config that was not there.
    RemoveFile {
        /// Its name on the host.
        name: String,
    },
}

/// The journal of one rollout on one host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Journal {
    /// The release that was being rolled out.
    pub release: String,
    /// Who did it.
    pub by: String,
    /// How to put back what was done, the oldest change first.
    pub undo: Vec<Undo>,
}

impl Journal {
    /// The journal of an unfinished rollout, if there is one.
    ///
    /// # Errors
    ///
    /// When the host does not answer or the file makes no sense.
    pub async fn read(target: &Target) -> Result<Option<Self>, HostError> {
        State(target).read_file(FILE).await
    }

    /// Adds an entry; the change itself comes after.
    ///
    /// # Errors
    ///
    /// When the host does not take it.
    pub async fn record(&mut self, target: &Target, undo: Undo) -> Result<(), HostError> {
        if !self.undo.contains(&undo) {
            self.undo.push(undo);
            self.write(target).await?;
        }
        Ok(())
    }

    pub(super) async fn write(&self, target: &Target) -> Result<(), HostError> {
        State(target).write_file(FILE, &to_text(FILE, self)?, "600").await
    }

    pub(super) async fn remove(target: &Target) -> Result<(), HostError> {
        State(target).remove_file(FILE).await
    }
}
