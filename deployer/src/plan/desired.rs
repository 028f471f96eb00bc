//! Which containers belong on which host.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::observed::ObservedContainer;
use crate::{
    compose::{Constraint, ContainerSpec, FileSource, Mode, MountKind, Project, Service, Subject},
    firewall::PortRule,
    inventory::{EngineKind, Host, Inventory},
};

/// All that belongs on one host.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DesiredHost {
    /// The containers, in the order in which they start.
    pub containers: Vec<DesiredContainer>,
    /// Networks, by the name that the engine knows.
    pub networks: BTreeSet<String>,
    /// Volumes, by the name that the engine knows.
    pub volumes: BTreeSet<String>,
    /// Secrets and configs.
    pub files: Vec<DesiredFile>,
    /// Ports that the firewall has to let in.
    pub ports: BTreeSet<PortRule>,
    /// Ports that are open without the firewall, because the engine publishes them around it.
    pub around: BTreeSet<PortRule>,
    /// Containers have to come back after a reboot.
    pub boot: bool,
}

/// One container.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DesiredContainer {
    /// Its name on the host.
    pub name: String,
    /// The service that it is of.
    pub service: String,
    /// The hash of `spec` and of the image.
    pub hash: String,
    /// The image, when it is known here.
    pub image_id: Option<String>,
    /// What it is.
    pub spec: ContainerSpec,
}

impl DesiredContainer {
    /// Whether an existing container is this one. Its image may be known on only one of two occasions, here or when it
    /// was made: then what runs says which one was meant.
    #[must_use]
    pub fn is(&self, there: &ObservedContainer) -> bool {
        if self.hash == there.hash {
            return true;
        }
        let bare = there.image_id.trim_start_matches("sha256:");
        match self.image_id.as_deref() {
            None => [bare.to_owned(), format!("sha256:{bare}")]
                .iter()
                .any(|id| there.hash == spec_hash(&self.spec, Some(id))),
            Some(id) => id.trim_start_matches("sha256:") == bare && there.hash == spec_hash(&self.spec, None),
        }
    }
}

/// A secret or config that has to lie on the host.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DesiredFile {
    /// Its key in the Compose file.
    pub source: String,
    /// Its name on the host: with the hash of its content, so that an old container keeps the old file.
    pub name: String,
    /// Its mode; readable for everyone without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<u32>,
    /// Where it comes from.
    pub origin: FileOrigin,
}

/// Where a file's content comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum FileOrigin {
    /// It is at hand here.
    Here,
    /// An API key that the server mints for the host.
    Enrolment {
        /// The service that mints it.
        server: String,
        /// Its port.
        port: u16,
    },
}

/// Puts every container on its hosts. `images` has the id of each image that is known here, `contents` the content hash
/// of each secret and config.
///
/// # Errors
///
/// Every service that cannot be placed, and why.
pub fn place(
    project: &Project,
    inventory: &Inventory,
    images: &BTreeMap<String, String>,
    contents: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, DesiredHost>, Vec<String>> {
    let mut hosts: BTreeMap<String, DesiredHost> = inventory
        .hosts
        .iter()
        .map(|host| (host.name.clone(), DesiredHost::default()))
        .collect();
    let mut problems = Vec::new();
    for service in &project.services {
        let eligible: Vec<&Host> = inventory
            .hosts
            .iter()
            .filter(|host| service.constraints.iter().all(|rule| holds(rule, host)))
            .collect();
        let count = match service.mode {
            Mode::Global => eligible.len(),
            Mode::Replicated(replicas) => replicas as usize,
        };
        if eligible.is_empty() && count > 0 {
            problems.push(format!(
                "service `{}` fits no host: its placement constraints exclude all of them",
                service.name
            ));
            continue;
        }
        for (index, host) in eligible.iter().cycle().take(count).enumerate() {
            let replica = index / eligible.len() + 1;
            if replica > 1 && service.container.ports.iter().any(|port| port.host.is_some()) {
                problems.push(format!(
                    "service `{}` wants {count} containers on {} host(s), but two on one host cannot publish the same port",
                    service.name,
                    eligible.len()
                ));
                break;
            }
            if let Some(desired) = hosts.get_mut(&host.name) {
                add(desired, host, project, service, replica, images, contents);
            }
        }
    }
    if problems.is_empty() {
        Ok(hosts)
    } else {
        Err(problems)
    }
}

fn holds(rule: &Constraint, host: &Host) -> bool {
    let matches = match &rule.subject {
        Subject::Hostname => host.name == rule.value,
        Subject::Role => host.roles.contains(&rule.value),
        // `node.labels.role` is how Swarm's users write it.
        Subject::Label(label) if label == "role" && host.roles.contains(&rule.value) => true,
        Subject::Label(label) => host.labels.get(label) == Some(&rule.value),
    };
    matches == rule.equal
}

fn add(
    desired: &mut DesiredHost,
    host: &Host,
    project: &Project,
    service: &Service,
    replica: usize,
    images: &BTreeMap<String, String>,
    contents: &BTreeMap<String, String>,
) {
    let prefixed = |kind: &str, name: &String| {
        let own = project.own_names.get(&format!("{kind}.{name}"));
        own.cloned().unwrap_or_else(|| format!("{}_{name}", project.name))
    };
    let mut spec = service.container.clone();
    spec.networks = spec
        .networks
        .into_iter()
        .map(|(name, aliases)| (prefixed("networks", &name), aliases))
        .collect();
    for mount in &mut spec.mounts {
        if let MountKind::Volume { name } = &mut mount.kind {
            *name = prefixed("volumes", name);
            desired.volumes.insert(name.clone());
        }
    }
    for file in &mut spec.files {
        let origin = match project.files.get(&file.source) {
            Some(FileSource::Enrolment { server, port }) => {
                file.content = "enrolment".to_owned();
                FileOrigin::Enrolment {
                    server: server.clone(),
                    port: *port,
                }
            }
            _ => {
                file.content = contents.get(&file.source).cloned().unwrap_or_default();
                FileOrigin::Here
            }
        };
        let wanted = DesiredFile {
            source: file.source.clone(),
            name: file.stored_as(),
            mode: file.mode,
            origin,
        };
        if !desired.files.contains(&wanted) {
            desired.files.push(wanted);
        }
    }
    desired.networks.extend(spec.networks.keys().cloned());
    desired.boot |= ["always", "unless-stopped"].contains(&spec.restart.as_str());
    let (through, around) = ports(host, service, &spec);
    desired.ports.extend(through);
    desired.around.extend(around);
    let image_id = images.get(&spec.image).cloned();
    desired.containers.push(DesiredContainer {
        name: format!("{}-{}-{replica}", project.name, service.name),
        service: service.name.clone(),
        hash: spec_hash(&spec, image_id.as_deref()),
        image_id,
        spec,
    });
}

/// The ports that the firewall has to open, and those that are open around it.
///
/// A rootful engine forwards published ports before firewalld's zones see them. What listens on the host's own network
/// does need opening, and so do a rootless engine's ports, whose proxy is a process of the host.
fn ports(host: &Host, service: &Service, spec: &ContainerSpec) -> (Vec<PortRule>, Vec<PortRule>) {
    let on_host = spec.network_mode.as_deref() == Some("host");
    let published = spec
        .ports
        .iter()
        .filter(|port| !port.host_ip.as_deref().is_some_and(is_loopback))
        .filter_map(|port| {
            let number = if on_host { Some(port.container) } else { port.host };
            number.map(|number| (number, port.protocol.clone()))
        });
    let exposed = spec.expose.iter().filter(|_| on_host).cloned();
    let open = published
        .chain(exposed)
        .filter(|(port, _)| !service.firewall.closed.contains(port));
    let rules = open.flat_map(|(port, protocol)| {
        let rule = move |source| PortRule {
            port,
            protocol: protocol.clone(),
            source,
        };
        if service.firewall.sources.is_empty() {
            vec![rule(None)]
        } else {
            service
                .firewall
                .sources
                .iter()
                .map(|source| rule(Some(source.clone())))
                .collect()
        }
    });
    if on_host || host.engine == EngineKind::PodmanRootless {
        (rules.collect(), Vec::new())
    } else {
        (Vec::new(), rules.collect())
    }
}

fn is_loopback(address: &str) -> bool {
    address
        .parse::<std::net::IpAddr>()
        .is_ok_and(|address| address.is_loopback())
}

/// The hash that is compared with a container's label.
#[must_use]
pub fn spec_hash(spec: &ContainerSpec, image_id: Option<&str>) -> String {
    let text = serde_json::to_string(&(spec, image_id)).unwrap_or_default();
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
