//! Why a lab cannot be had, and what to do about it.

use std::{io, path::PathBuf};

use thiserror::Error;

use crate::{containers::EngineError, error::Failure};

/// A lab command that failed.
#[derive(Debug, Error)]
pub enum LabError {
    /// A name that cannot be one.
    #[error("\"{name}\" cannot be the name of a lab: {why}")]
    Name {
        /// What was typed.
        name: String,
        /// The rule.
        why: &'static str,
    },

    /// This user cannot make hosts.
    #[error("making hosts needs root: a host's network cannot be reached from outside a rootless engine")]
    NotRoot,

    /// The engine failed.
    #[error("the container engine failed")]
    Engine(#[from] EngineError),

    /// Another lab of that name lives elsewhere.
    #[error("a lab named {name} already lives in {}", .folder.display())]
    Elsewhere {
        /// Its name.
        name: String,
        /// Its folder.
        folder: PathBuf,
    },

    /// There is no such lab.
    #[error("there is no lab named {name}")]
    NoLab {
        /// The name.
        name: String,
    },

    /// There is no such host.
    #[error("the lab {lab} has no host {host}; it has {known}")]
    NoHost {
        /// The lab.
        lab: String,
        /// What was typed.
        host: String,
        /// What there is.
        known: String,
    },

    /// `up` did not get to the end.
    #[error("the lab {lab} has no hosts.toml: it did not come up to the end")]
    Unfinished {
        /// The lab.
        lab: String,
    },

    /// The host does not run.
    #[error("{host} does not run: {state}")]
    Down {
        /// The lab.
        lab: String,
        /// The host.
        host: String,
        /// The engine's word for its state.
        state: String,
    },

    /// The host does not answer somebody who wants to log in.
    #[error("{host} at {address} does not answer on ssh")]
    Unanswered {
        /// The lab.
        lab: String,
        /// The host.
        host: String,
        /// Its address.
        address: String,
    },

    /// Every subnet that a lab may take is in use.
    #[error("no subnet is free: all of 10.231.0.0/24 to 10.231.255.0/24 are in use or refused")]
    NoSubnet,

    /// The name of the lab's network is somebody else's.
    #[error("a network named {name} exists, and the lab {lab} did not make it")]
    NetworkTaken {
        /// The lab.
        lab: String,
        /// The network.
        name: String,
    },

    /// The lab's network is gone.
    #[error("{host} cannot come back: the lab's network {network} is gone, somebody has removed it")]
    NoNetwork {
        /// The lab.
        lab: String,
        /// The host.
        host: String,
        /// The network.
        network: String,
    },

    /// A file could not be read or written.
    #[error("cannot {what}")]
    File {
        /// What was tried.
        what: String,
        /// Why.
        #[source]
        source: io::Error,
    },

    /// A program of this machine is missing or failed.
    #[error("{program} failed: {said}")]
    Program {
        /// Which.
        program: &'static str,
        /// Its last words.
        said: String,
        /// What to do.
        hint: &'static str,
    },

    /// Hosts do not answer on ssh.
    #[error("{hosts} did not answer on ssh within {seconds} s")]
    Silent {
        /// The lab.
        lab: String,
        /// The container of the first of them.
        container: String,
        /// Which.
        hosts: String,
        /// The deadline.
        seconds: u64,
    },

    /// Too few inotify instances, and no right to raise the limit.
    #[error("this machine allows {have} inotify instances and {hosts} hosts need {need}")]
    Inotify {
        /// The limit.
        have: u64,
        /// What is needed.
        need: u64,
        /// For how many hosts.
        hosts: usize,
    },
}

impl LabError {
    /// What to do next, where there is something.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotRoot => "run it with sudo".to_owned(),
            Self::Engine(error) => return error.hint().map(str::to_owned),
            Self::Elsewhere { name, .. } => {
                format!("use another --name, or remove that one: `deployer lab down --name {name}`")
            }
            Self::NoLab { name } => format!("make it: `deployer lab up --name {name}`"),
            Self::NoSubnet => {
                "remove labs or networks that are not used any more: `podman network ls`".to_owned()
            }
            Self::NetworkTaken { name, .. } => {
                format!("use another --name, or remove it: `podman network rm {name}`")
            }
            Self::NoNetwork { lab, host, .. } => format!(
                "`deployer lab up --name {lab} --hosts 1` makes it anew and keeps the hosts that there are; then \
                 `deployer lab heal --name {lab} {host}` again"
            ),
            Self::Program { hint, .. } => (*hint).to_owned(),
            Self::Silent { lab, container, .. } => format!(
                "look inside: `podman exec {container} systemctl --failed`; \
                 start afresh: `deployer lab down --name {lab}`"
            ),
            Self::Unfinished { lab } => format!("`deployer lab up --name {lab}` goes on"),
            Self::Down { lab, host, .. } => format!("boot it: `deployer lab reboot --name {lab} {host}`"),
            Self::Unanswered { lab, .. } => format!(
                "`deployer lab status --name {lab}` says its state; `heal` brings back a cut or frozen host, \
                 `up` starts what has stopped"
            ),
            Self::Inotify { need, .. } => format!("as root: `sysctl fs.inotify.max_user_instances={need}`"),
            Self::Name { .. } | Self::NoHost { .. } | Self::File { .. } => return None,
        })
    }

    /// Whether it came before anything of the lab was made.
    pub(super) fn came_first(&self) -> bool {
        matches!(
            self,
            Self::Elsewhere { .. } | Self::Engine(EngineError::NoSocket { .. } | EngineError::Service { .. })
        )
    }

    pub(super) fn file(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::File { what, source }
    }
}

impl From<LabError> for Failure {
    fn from(error: LabError) -> Self {
        let hint = error.hint();
        let failure = match &error {
            LabError::Name { .. } | LabError::NoHost { .. } => Self::usage(error.to_string()),
            _ => Self::new(error.to_string()),
        };
        let failure = match std::error::Error::source(&error) {
            Some(cause) => failure.caused_by(cause),
            None => failure,
        };
        match hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}
