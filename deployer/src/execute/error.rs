//! What can go wrong on a host.

use std::{io, time::Duration};

use crate::{
    containers::EngineError,
    error::Failure,
    remote::{ConnectError, ExecError},
};

/// Why a step failed on a host.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// There is no connection.
    #[error("no connection")]
    Connect(#[from] ConnectError),
    /// A command failed.
    #[error(transparent)]
    Exec(#[from] ExecError),
    /// The engine said no.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The engine does not answer at all.
    #[error("its container engine does not answer: {reason}")]
    NoEngine {
        /// What was found out.
        reason: String,
    },
    /// A step took too long.
    #[error("`{doing}` was not done within {} s", deadline.as_secs())]
    Deadline {
        /// The step.
        doing: String,
        /// Its deadline.
        deadline: Duration,
    },
    /// A container does not become what it should be.
    #[error("{container} {what}{}", last_lines(lines))]
    Unhealthy {
        /// Which.
        container: String,
        /// What is wrong with it.
        what: String,
        /// The last lines that it wrote.
        lines: Vec<String>,
    },
    /// A secret or config is not to be had.
    #[error("the content of `{name}` cannot be read: {source}")]
    Content {
        /// Which.
        name: String,
        /// Why not.
        source: io::Error,
    },
    /// A state file on the host makes no sense.
    #[error("the state file {name} on the host cannot be read: {source}")]
    State {
        /// Which.
        name: String,
        /// Why not.
        source: serde_json::Error,
    },
    /// A key was not minted.
    #[error("no API key was minted: {reason}")]
    Enrolment {
        /// Why not.
        reason: String,
    },
    /// The image is neither here nor on the host.
    #[error("image {image} is neither here nor can the host pull it: {reason}")]
    NoImage {
        /// Which.
        image: String,
        /// What the engine says.
        reason: String,
    },
    /// Ctrl-C.
    #[error("stopped")]
    Stopped,
}

fn last_lines(lines: &[String]) -> String {
    if lines.is_empty() {
        return "; it has written nothing".to_owned();
    }
    let indented: Vec<String> = lines.iter().map(|line| format!("\n    | {line}")).collect();
    format!("; its last lines:{}", indented.concat())
}

impl HostError {
    /// What to do about it, where there is something.
    #[must_use]
    pub fn hint(&self, host: &str) -> Option<String> {
        match self {
            Self::Connect(error) => Some(error.hint(host)),
            Self::Engine(error) => error.hint().map(str::to_owned),
            Self::NoEngine { .. } => Some(format!(
                "`deployer check` finds the cause; on {host} `systemctl enable --now podman.socket` is the usual cure"
            )),
            Self::NoImage { .. } => {
                Some("build it with `deployer build`, or name a registry that the host can reach".to_owned())
            }
            Self::Exec(ExecError::Failed { stderr, .. }) if stderr.contains("password is required") => Some(
                "sudo asks for a password there: let this user run podman and firewall-cmd without one"
                    .to_owned(),
            ),
            _ => None,
        }
    }

    /// As the failure of a whole command.
    #[must_use]
    pub fn into_failure(self, host: &str, doing: &str) -> Failure {
        let failure = Failure::because(format!("{host}: cannot {doing}"), &self);
        match self.hint(host) {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

/// How a rollout ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Every step was done.
    Done,
    /// Hosts failed; the others are done.
    Partly {
        /// Each failure as `host: reason`.
        failures: Vec<String>,
    },
    /// A host failed and nothing more was done.
    Paused {
        /// Each failure as `host: reason`.
        failures: Vec<String>,
    },
    /// A host failed and all were put back.
    RolledBack {
        /// Each failure as `host: reason`.
        failures: Vec<String>,
        /// What could not be put back.
        left: Vec<String>,
    },
    /// Ctrl-C.
    Stopped,
}
