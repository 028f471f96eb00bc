//! Ports and who may reach them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// A port that is let in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PortRule {
    /// Its number.
    pub port: u16,
    /// `tcp` or `udp`.
    pub protocol: String,
    /// The network that may reach it; everyone without.
    pub source: Option<String>,
}

impl PortRule {
    /// The option of firewall-cmd that adds or removes it.
    #[must_use]
    pub fn option(&self, verb: &str) -> String {
        let Self {
            port,
            protocol,
            source,
        } = self;
        match source {
            None => format!("--{verb}-port={port}/{protocol}"),
            Some(source) => {
                let family = if source.contains(':') { "ipv6" } else { "ipv4" };
                format!(
                    "--{verb}-rich-rule=rule family=\"{family}\" source address=\"{source}\" \
                     port port=\"{port}\" protocol=\"{protocol}\" accept"
                )
            }
        }
    }
}

impl std::fmt::Display for PortRule {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}/{}", self.port, self.protocol)?;
        self.source
            .as_ref()
            .map_or(Ok(()), |source| write!(formatter, " from {source}"))
    }
}

/// The firewall of a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum FirewallState {
    /// No firewalld is installed or running: nothing to open, nothing to close.
    Absent,
    /// It was not asked: nothing is to be opened or closed.
    NotAsked,
    /// It cannot be asked.
    Unreadable {
        /// Why.
        reason: String,
    },
    /// It runs.
    On {
        /// The zone of the interface that we came in by.
        zone: String,
        /// What it lets in now.
        runtime: BTreeSet<PortRule>,
        /// What it will let in after a reboot.
        permanent: BTreeSet<PortRule>,
    },
}

/// What we opened on a host, so that just this is closed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Opened {
    /// In which zone.
    pub zone: String,
    /// What.
    pub rule: PortRule,
    /// It was closed at runtime before.
    pub runtime: bool,
    /// It was closed for the next boot before.
    pub permanent: bool,
}
