//! What a Compose file means here: containers as plain data that can be hashed, compared and written down.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::update::Update;

/// A whole Compose file.
#[derive(Debug, Clone, PartialEq)]
pub struct Project {
    /// Its name: of `name:`, else of the folder. Container, network and volume names begin with it.
    pub name: String,
    /// The services, each after those that it depends on.
    pub services: Vec<Service>,
    /// Volumes and networks that have names of their own, by key: `volumes.data` is what the engine calls it.
    pub own_names: BTreeMap<String, String>,
    /// Secrets and configs by name.
    pub files: BTreeMap<String, FileSource>,
}

/// Where the content of a secret or config comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileSource {
    /// A file beside the Compose file.
    File(PathBuf),
    /// A variable of the environment of the deployer.
    Environment(String),
    /// In the Compose file itself.
    Content(String),
    /// `x-enrolment`: an API key minted for each host by the server's HTTP API.
    Enrolment {
        /// The service that mints it.
        server: String,
        /// Its port on the host that it runs on.
        port: u16,
    },
}

/// One service.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// What each of its containers is.
    pub container: ContainerSpec,
    /// How its image is built, when it is.
    pub build: Option<Build>,
    /// Services that must be there before, and what they must be.
    pub depends_on: BTreeMap<String, Condition>,
    /// How many, and where.
    pub mode: Mode,
    /// Which hosts may run it.
    pub constraints: Vec<Constraint>,
    /// How it is updated.
    pub update: Update,
    /// How `deployer rollback` brings an earlier release of it back; as it is updated, without.
    pub rollback: Option<Update>,
    /// What its firewall lets in.
    pub firewall: FirewallRule,
}

/// `build:`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    /// The folder that is sent to the engine.
    pub context: PathBuf,
    /// The Containerfile, from the context.
    pub file: Option<PathBuf>,
    /// Build arguments.
    pub args: BTreeMap<String, String>,
    /// The stage to build.
    pub target: Option<String>,
}

/// `depends_on: condition:`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// It has been started.
    Started,
    /// Its healthcheck says that it is healthy.
    Healthy,
}

/// `deploy.mode` and `deploy.replicas`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// One container on each host that may run it.
    Global,
    /// So many containers, spread over the hosts that may run it.
    Replicated(u32),
}

/// A line of `deploy.placement.constraints`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constraint {
    /// What is compared.
    pub subject: Subject,
    /// `==` or `!=`.
    pub equal: bool,
    /// With what.
    pub value: String,
}

/// What a constraint compares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// `node.hostname`: the name in hosts.toml.
    Hostname,
    /// `node.role`: one of the roles in hosts.toml.
    Role,
    /// `node.labels.X`: a label in hosts.toml.
    Label(String),
}

/// `x-firewall`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FirewallRule {
    /// Networks that may reach its ports; everyone where none is given.
    pub sources: BTreeSet<String>,
    /// Ports that stay closed although they are published or exposed.
    pub closed: BTreeSet<u16>,
}

/// All that makes a container what it is. Its hash is in the container's labels: equal hash, nothing to do.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ContainerSpec {
    /// The image, as it is named in the Compose file or by the build.
    pub image: String,
    /// What the image runs, when not what it says itself.
    pub entrypoint: Option<Vec<String>>,
    /// Its arguments.
    pub command: Option<Vec<String>>,
    /// The environment.
    pub environment: BTreeMap<String, String>,
    /// Published ports.
    pub ports: Vec<PublishedPort>,
    /// Ports that are named but not published; on the host's network they are what listens.
    pub expose: BTreeSet<(u16, String)>,
    /// What is mounted.
    pub mounts: Vec<Mount>,
    /// Secrets and configs.
    pub files: Vec<ServiceFile>,
    /// Networks with the names that it has in each.
    pub networks: BTreeMap<String, Vec<String>>,
    /// `host` or `none`.
    pub network_mode: Option<String>,
    /// `host`.
    pub pid: Option<String>,
    /// Everything is allowed.
    pub privileged: bool,
    /// Capabilities more.
    pub cap_add: BTreeSet<String>,
    /// Capabilities fewer.
    pub cap_drop: BTreeSet<String>,
    /// `label=disable` and the like.
    pub security_opt: BTreeSet<String>,
    /// Who it runs as.
    pub user: Option<String>,
    /// The root file system cannot be written.
    pub read_only: bool,
    /// An init reaps orphans.
    pub init: bool,
    /// Its host name.
    pub hostname: Option<String>,
    /// Where it starts.
    pub working_dir: Option<String>,
    /// How it is asked to stop.
    pub stop_signal: Option<String>,
    /// How long it may take to stop.
    pub stop_grace_seconds: Option<u64>,
    /// `no`, `always`, `on-failure` or `unless-stopped`.
    pub restart: String,
    /// How its health is asked for.
    pub health: Option<Health>,
    /// Labels of its own.
    pub labels: BTreeMap<String, String>,
    /// Where its output goes.
    pub logging: Option<Logging>,
    /// Soft and hard limits.
    pub ulimits: BTreeMap<String, (i64, i64)>,
    /// The most memory, in bytes.
    pub memory_bytes: Option<i64>,
    /// The most processor time, in billionths of a core.
    pub nano_cpus: Option<i64>,
    /// The most processes.
    pub pids: Option<i64>,
}

/// A line of `ports`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedPort {
    /// The address that it is bound to; every one without.
    pub host_ip: Option<String>,
    /// The port of the host; the engine picks one without.
    pub host: Option<u16>,
    /// The port in the container.
    pub container: u16,
    /// `tcp` or `udp`.
    pub protocol: String,
}

/// A line of `volumes` or `tmpfs`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// What is mounted.
    pub kind: MountKind,
    /// Where.
    pub target: String,
    /// It cannot be written.
    pub read_only: bool,
}

/// What is mounted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum MountKind {
    /// A path of the host.
    Bind {
        /// Which.
        source: String,
        /// `rslave` and the like.
        propagation: Option<String>,
        /// `z` or `Z`.
        selinux: Option<String>,
    },
    /// A volume of the project.
    Volume {
        /// Its key in the Compose file.
        name: String,
    },
    /// Memory.
    Tmpfs {
        /// The most of it.
        size_bytes: Option<i64>,
    },
}

/// A secret or config in a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceFile {
    /// Its key in the Compose file.
    pub source: String,
    /// The path in the container.
    pub target: String,
    /// The mode of the file.
    pub mode: Option<u32>,
    /// The first 8 hex digits of the content's SHA-256: enough to see a change, too little to guess the content from.
    pub content: String,
}

impl ServiceFile {
    /// What it is called on the host: by its content and its mode, so that each container finds the one that it had.
    #[must_use]
    pub fn stored_as(&self) -> String {
        let mode = self.mode.map(|mode| format!("-{mode:o}")).unwrap_or_default();
        format!("{}-{}{mode}", self.source, self.content)
    }
}

/// `healthcheck`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// `["CMD", …]`, `["CMD-SHELL", …]` or `["NONE"]`; empty for the image's own.
    pub test: Vec<String>,
    /// Between two checks.
    pub interval: Option<Duration>,
    /// Of one check.
    pub timeout: Option<Duration>,
    /// Failures in a row.
    pub retries: Option<u64>,
    /// Failures that do not count at the start.
    pub start_period: Option<Duration>,
}

/// `logging`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logging {
    /// Which driver.
    pub driver: Option<String>,
    /// Its options.
    pub options: BTreeMap<String, String>,
}
