//! A step: what is done, where, and why, as data that prints itself as one sentence.

use serde::{Deserialize, Serialize};

use super::desired::{DesiredContainer, DesiredFile};
use crate::{compose::Order, firewall::PortRule};

/// When a step is done: everything is prepared on all hosts first, then service after service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Nothing that runs is touched.
    Prepare,
    /// The containers of the service of that number in the order of dependencies.
    Service(usize),
    /// What nothing needs any more.
    Clean,
}

/// One thing to do on one host.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// Where.
    pub host: String,
    /// When.
    pub stage: Stage,
    /// What.
    pub action: Action,
    /// Why it is needed.
    pub why: String,
}

/// What is done.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    /// An image is sent from here, or pulled by the host where it is not here.
    ShipImage {
        /// Its name.
        image: String,
        /// Its id, when it is here.
        id: Option<String>,
    },
    /// A secret or config is written.
    WriteFile(DesiredFile),
    /// A network is made.
    CreateNetwork {
        /// Which.
        name: String,
    },
    /// A volume is made.
    CreateVolume {
        /// Which.
        name: String,
    },
    /// Ports are opened, either now or for the next boot.
    OpenPorts {
        /// In which zone.
        zone: String,
        /// Which.
        rules: Vec<PortRule>,
        /// For the next boot.
        permanent: bool,
    },
    /// Ports that we opened are closed again.
    ClosePorts {
        /// In which zone.
        zone: String,
        /// Which.
        rules: Vec<PortRule>,
        /// For the next boot.
        permanent: bool,
    },
    /// Containers come back after a reboot.
    EnableBoot,
    /// An API key is minted and written.
    Enrol(DesiredFile),
    /// A container that is not there is made and started.
    Create {
        /// What it is.
        #[serde(serialize_with = "name_only")]
        container: Box<DesiredContainer>,
    },
    /// A container is replaced by a new one.
    Replace {
        /// What the new one is.
        #[serde(serialize_with = "name_only")]
        container: Box<DesiredContainer>,
        /// Which goes first.
        #[serde(skip)]
        order: Order,
    },
    /// A container that has stopped is started.
    Start {
        /// Which.
        #[serde(serialize_with = "name_only")]
        container: Box<DesiredContainer>,
    },
    /// A container that a rollout has started before it was cut off has to become healthy.
    Await {
        /// Which.
        #[serde(serialize_with = "name_only")]
        container: Box<DesiredContainer>,
    },
    /// A container that belongs to nothing any more is removed.
    Remove {
        /// Which.
        name: String,
    },
}

impl Action {
    /// Whether it brings a container of a service forward: what Compose calls a task of an update.
    #[must_use]
    pub fn is_task(&self) -> bool {
        matches!(
            self,
            Self::Create { .. } | Self::Replace { .. } | Self::Start { .. } | Self::Await { .. }
        )
    }
}

fn name_only<S: serde::Serializer>(container: &DesiredContainer, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&container.name)
}

impl Action {
    /// What is done, as a sentence without a full stop.
    #[must_use]
    pub fn sentence(&self) -> String {
        let list = |rules: &[PortRule]| {
            rules
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(", ")
        };
        let when = |permanent: bool| if permanent { "for the next boot" } else { "now" };
        match self {
            Self::ShipImage { image, id: Some(id) } => format!("ship image {image} ({})", short(id)),
            Self::ShipImage { image, id: None } => format!("let the host pull image {image}"),
            Self::WriteFile(file) => format!("write {}", file.source),
            Self::CreateNetwork { name } => format!("make network {name}"),
            Self::CreateVolume { name } => format!("make volume {name}"),
            Self::OpenPorts {
                zone,
                rules,
                permanent,
            } => {
                format!("open {} in zone {zone} {}", list(rules), when(*permanent))
            }
            Self::ClosePorts {
                zone,
                rules,
                permanent,
            } => {
                format!("close {} in zone {zone} {}", list(rules), when(*permanent))
            }
            Self::EnableBoot => "have containers start after a reboot".to_owned(),
            Self::Enrol(file) => format!("mint an API key for this host as {}", file.source),
            Self::Create { container } => format!("create and start {}", container.name),
            Self::Replace {
                container,
                order: Order::StopFirst,
            } => format!("replace {}", container.name),
            Self::Replace {
                container,
                order: Order::StartFirst,
            } => {
                format!("replace {}, the new one first", container.name)
            }
            Self::Start { container } => format!("start {}", container.name),
            Self::Await { container } => format!("wait for {} to be well", container.name),
            Self::Remove { name } => format!("remove {name}"),
        }
    }
}

/// The first 12 digits of an id, as engines print it.
fn short(id: &str) -> &str {
    let id = id.strip_prefix("sha256:").unwrap_or(id);
    id.get(..12).unwrap_or(id)
}
