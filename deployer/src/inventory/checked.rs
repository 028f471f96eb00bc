//! What is valid: names that are unique, ports that exist, jumps that lead somewhere.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use super::{
    problem::{InventoryError, Problem, nearest},
    raw::{RawHost, RawInventory, parse},
    settings::{LabSettings, settings},
    ssh_config::{SshConfig, SshHost, parts},
};

/// SSH's own port.
const DEFAULT_PORT: u16 = 22;
/// Who logs in where nothing says who: the user that needs no sudo.
const DEFAULT_USER: &str = "root";

/// How the engine of a host is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EngineKind {
    /// Root's Podman: its socket for root, `sudo -n podman system dial-stdio` for anyone else.
    Podman,
    /// The Podman of the user that logs in, by `/run/user/UID/podman/podman.sock`.
    PodmanRootless,
    /// Docker, by `/var/run/docker.sock`.
    Docker,
}

impl EngineKind {
    const WORDS: [(&'static str, Self); 3] = [
        ("podman", Self::Podman),
        ("podman-rootless", Self::PodmanRootless),
        ("docker", Self::Docker),
    ];
}

/// One machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// What it is called here: the key of every table and message.
    pub name: String,
    /// Its address or DNS name.
    pub address: String,
    /// Where its sshd listens.
    pub port: u16,
    /// Who to log in as.
    pub user: String,
    /// The private key to log in with; the agent and the usual files are tried without one.
    pub identity_file: Option<PathBuf>,
    /// Which engine, and how it is reached.
    pub engine: EngineKind,
    /// What it is for; `node.role == X` in a placement constraint.
    pub roles: BTreeSet<String>,
    /// `node.labels.X` in a placement constraint.
    pub labels: BTreeMap<String, String>,
    /// The only host key to accept, in the form of known_hosts: `ssh-ed25519 AAAA…`.
    pub host_key: Option<String>,
    /// The name of the host to go through.
    pub jump: Option<String>,
}

/// A hosts.toml without mistakes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inventory {
    /// The machines, in the order of the file.
    pub hosts: Vec<Host>,
    /// Settings of the lab.
    pub lab: LabSettings,
    /// Machines that are only gone through: those that `ProxyJump` of the ssh configuration names.
    pub gates: Vec<Host>,
}

impl Inventory {
    /// Reads a file. Relative key files are looked up from its folder; what it does not say of a host is looked up in
    /// this user's ssh configuration.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or with every problem in it.
    pub fn load(path: &Path) -> Result<Self, InventoryError> {
        let text = std::fs::read_to_string(path).map_err(|source| InventoryError::Read {
            path: path.to_owned(),
            source,
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let ssh = SshConfig::of_this_user().map_err(|source| InventoryError::Read {
            path: PathBuf::from("~/.ssh/config"),
            source,
        })?;
        Self::parse_with(&text, folder, &ssh).map_err(|problems| InventoryError::Invalid {
            path: path.to_owned(),
            problems,
        })
    }

    /// Reads a text; relative key files are looked up from `folder`.
    ///
    /// # Errors
    ///
    /// Every problem, in the order of their lines.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, Vec<Problem>> {
        Self::parse_with(text, folder, &SshConfig::default())
    }

    /// Reads a text, and an ssh configuration for what it does not say.
    ///
    /// # Errors
    ///
    /// Every problem, in the order of their lines.
    pub fn parse_with(text: &str, folder: &Path, ssh: &SshConfig) -> Result<Self, Vec<Problem>> {
        let (raw, mut problems) = parse(text);
        let inventory = check(raw, folder, ssh, &mut problems);
        problems.sort();
        if problems.is_empty() {
            Ok(inventory)
        } else {
            Err(problems)
        }
    }

    /// The machine of that name to go through: a host, else one that is only gone through.
    #[must_use]
    pub fn gate(&self, name: &str) -> Option<&Host> {
        self.host(name)
            .or_else(|| self.gates.iter().find(|gate| gate.name == name))
    }

    /// The host of that name.
    #[must_use]
    pub fn host(&self, name: &str) -> Option<&Host> {
        self.hosts.iter().find(|host| host.name == name)
    }
}

fn check(raw: RawInventory, folder: &Path, ssh: &SshConfig, problems: &mut Vec<Problem>) -> Inventory {
    // In a file that is no TOML nothing is found, and only the mistake itself is worth a word.
    let readable = problems.is_empty();
    let mut wrong = |line: usize, message: String| problems.push(Problem { line, message });
    let mut seen = BTreeMap::new();
    let mut hosts = Vec::new();
    let mut jumps = Vec::new();
    let mut gates: Vec<Host> = Vec::new();
    for host in raw.hosts {
        let line = host.line;
        let Some(name) = host.name.clone() else {
            wrong(line, "this host has no `name`".to_owned());
            continue;
        };
        if name.value.is_empty()
            || !name
                .value
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        {
            wrong(
                name.line,
                format!(
                    "`{}` is no host name: use letters, digits, `-`, `_` and `.`",
                    name.value
                ),
            );
        }
        if let Some(first) = seen.insert(name.value.clone(), name.line) {
            wrong(
                name.line,
                format!("`{}` is the name of the host in line {first} too", name.value),
            );
        }
        if host.address.is_none() {
            wrong(line, format!("host `{}` has no `address`", name.value));
        }
        if let Some(jump) = &host.jump {
            jumps.push((name.value.clone(), jump.clone()));
        }
        let own_jump = host.jump.is_some();
        let said = host
            .address
            .as_ref()
            .map(|address| ssh.of(&address.value))
            .unwrap_or_default();
        let mut checked = check_host(name.value, host, &raw.defaults, folder, &said, &mut wrong);
        match said.jumps.as_slice() {
            [] => {}
            _ if own_jump => {}
            [jump] => {
                let gate = gate(jump, ssh);
                checked.jump = Some(gate.name.clone());
                if !gates.contains(&gate) {
                    gates.push(gate);
                }
            }
            _ => wrong(
                line,
                format!(
                    "`ProxyJump` of the ssh configuration leads to host `{}` over several machines: one is the most",
                    checked.name
                ),
            ),
        }
        hosts.push(checked);
    }
    if hosts.is_empty() && readable {
        wrong(
            0,
            "there is no host: add a [[hosts]] table with `name` and `address`".to_owned(),
        );
    }
    for (host, jump) in jumps {
        if jump.value == host {
            wrong(jump.line, format!("host `{host}` jumps through itself"));
        } else if let Some(through) = hosts.iter().find(|other| other.name == jump.value) {
            if through.jump.is_some() {
                wrong(
                    jump.line,
                    format!(
                        "host `{host}` jumps through `{}`, which needs a jump itself: one is the most",
                        jump.value
                    ),
                );
            }
        } else {
            wrong(
                jump.line,
                format!(
                    "host `{host}` jumps through `{}`, which is not in this file",
                    jump.value
                ),
            );
        }
    }
    Inventory {
        hosts,
        lab: settings(raw.lab, &mut wrong),
        gates,
    }
}

/// A machine that `ProxyJump` names, with what the ssh configuration says about it.
fn gate(jump: &str, ssh: &SshConfig) -> Host {
    let (user, alias, port) = parts(jump);
    let said = ssh.of(alias);
    Host {
        // No host of hosts.toml has such a name, so neither is taken for the other.
        name: format!("ProxyJump {jump}"),
        address: said.host_name.unwrap_or_else(|| alias.to_owned()),
        port: port.or(said.port).unwrap_or(DEFAULT_PORT),
        user: user
            .map(str::to_owned)
            .or(said.user)
            .unwrap_or_else(|| DEFAULT_USER.to_owned()),
        identity_file: said.identity_file,
        engine: EngineKind::Podman,
        roles: BTreeSet::new(),
        labels: BTreeMap::new(),
        host_key: None,
        jump: None,
    }
}

fn check_host(
    name: String,
    host: RawHost,
    defaults: &RawHost,
    folder: &Path,
    ssh: &SshHost,
    wrong: &mut impl FnMut(usize, String),
) -> Host {
    let port = host
        .port
        .or_else(|| defaults.port.clone())
        .map_or(ssh.port.unwrap_or(DEFAULT_PORT), |port| {
            u16::try_from(port.value)
                .ok()
                .filter(|port| *port > 0)
                .unwrap_or_else(|| {
                    wrong(
                        port.line,
                        format!("port {} does not exist: 1 to 65535 do", port.value),
                    );
                    DEFAULT_PORT
                })
        });
    let engine = host
        .engine
        .or_else(|| defaults.engine.clone())
        .map_or(EngineKind::Podman, |word| {
            let known = EngineKind::WORDS.map(|(word, _)| word);
            EngineKind::WORDS
                .iter()
                .find(|(known, _)| *known == word.value)
                .map_or_else(
                    || {
                        let advice =
                            nearest(&word.value, &known).map(|near| format!(", did you mean `{near}`?"));
                        let advice = advice.unwrap_or_else(|| format!(": it is one of {}", known.join(", ")));
                        wrong(word.line, format!("unknown engine `{}`{advice}", word.value));
                        EngineKind::Podman
                    },
                    |(_, kind)| *kind,
                )
        });
    if let Some(key) = &host.host_key
        && russh_key(&key.value).is_none()
    {
        wrong(
            key.line,
            "`host_key` is no public key: copy a line of `ssh-keyscan`, as `ssh-ed25519 AAAA…`".to_owned(),
        );
    }
    let user = host.user.or_else(|| defaults.user.clone());
    let identity = host.identity_file.or_else(|| defaults.identity_file.clone());
    Host {
        name,
        address: ssh
            .host_name
            .clone()
            .or(host.address.map(|address| address.value))
            .unwrap_or_default(),
        port,
        user: user
            .map(|user| user.value)
            .or_else(|| ssh.user.clone())
            .unwrap_or_else(|| DEFAULT_USER.to_owned()),
        identity_file: identity
            .map(|file| from_folder(folder, &file.value))
            .or_else(|| ssh.identity_file.clone()),
        engine,
        roles: host
            .roles
            .map(|roles| roles.value.into_iter().collect())
            .unwrap_or_default(),
        labels: host.labels.map(|labels| labels.value).unwrap_or_default(),
        host_key: host.host_key.map(|key| key.value),
        jump: host.jump.map(|jump| jump.value),
    }
}

/// The type and the base64 of a public key, when it looks like one; `remote` decides whether it is.
fn russh_key(line: &str) -> Option<(&str, &str)> {
    let mut words = line.split_whitespace();
    let (algorithm, key) = (words.next()?, words.next()?);
    let known = algorithm.starts_with("ssh-") || algorithm.starts_with("ecdsa-");
    (known && key.starts_with("AAAA")).then_some((algorithm, key))
}

fn from_folder(folder: &Path, file: &str) -> PathBuf {
    match (file.strip_prefix("~/"), std::env::home_dir()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => folder.join(file),
    }
}
