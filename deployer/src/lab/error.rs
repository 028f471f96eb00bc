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

    /// More hosts than a lab can have, or none.
    #[error("a lab has 1 to {most} hosts, not {asked}")]
    Count {
        /// What was typed.
        asked: usize,
        /// The limit.
        most: usize,
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

    /// Every subnet that a lab may take is in use.
    #[error("no subnet is free: all of 10.231.0.0/24 to 10.231.255.0/24 are in use or refused")]
    NoSubnet,

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
            Self::Elsewhere { .. } => {
                "use another --name, or run `deployer lab down` for that one".to_owned()
            }
            Self::NoLab { name } => format!("make it: `deployer lab up --name {name}`"),
            Self::NoSubnet => "remove networks that are not used any more: `podman network prune`".to_owned(),
            Self::Program { hint, .. } => (*hint).to_owned(),
            Self::Silent { .. } => {
                "look inside: `podman exec HOST systemctl --failed`; start afresh with `deployer lab down`"
                    .to_owned()
            }
            Self::Inotify { need, .. } => format!("as root: `sysctl fs.inotify.max_user_instances={need}`"),
            Self::Name { .. } | Self::Count { .. } | Self::NoHost { .. } | Self::File { .. } => return None,
        })
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
            LabError::Name { .. } | LabError::Count { .. } | LabError::NoHost { .. } => {
                Self::usage(error.to_string())
            }
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
