//! What can go wrong on a host.

use std::{io, path::PathBuf, time::Duration};

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
    /// The server has an account, and nobody has told us its password.
    #[error("the server has an account already, and its log-in is not in {}", file.display())]
    NoLogIn {
        /// Where it would be written down.
        file: PathBuf,
    },
    /// The image is neither here nor on the host.
    #[error("image {image} is neither here nor can the host pull it: {reason}")]
    NoImage {
        /// Which.
        image: String,
        /// What the engine says.
        reason: String,
    },
    /// The image of a release is nowhere any more.
    #[error("image {image} of that release ({id}) is gone: the host does not have it, and {instead}")]
    ImageGone {
        /// Its name.
        image: String,
        /// Its id.
        id: String,
        /// What there is instead.
        instead: String,
    },
    /// The connection ended in the middle of a step.
    #[error("the connection was lost in the middle of `{doing}`")]
    Lost {
        /// The step.
        doing: String,
        /// What it looked like.
        #[source]
        source: Box<HostError>,
    },
    /// Somebody else has the lock.
    #[error("{by}")]
    LeaseLost {
        /// Who.
        by: String,
    },
    /// The server has no sample of the host.
    #[error("the server has no fresh sample of {host_name} within {} s: {seen}", deadline.as_secs())]
    NoSample {
        /// What the host calls itself.
        host_name: String,
        /// How long it was waited for.
        deadline: Duration,
        /// What the server knows of it.
        seen: String,
    },
    /// The registry of hosts.toml does not give the image out.
    #[error("the host cannot pull {reference}: {reason}")]
    Registry {
        /// Which, as the registry calls it.
        reference: String,
        /// What the engine says.
        reason: String,
    },
    /// Ctrl-C.
    #[error("stopped")]
    Stopped,
}

/// The words of engines and shells for what a person can do something about, and what that is.
const CURES: [(&str, &str); 5] = [
    (
        "address already in use",
        "something on the host listens there: `ss -ltnp` says what; end it, or publish another port",
    ),
    (
        "port is already allocated",
        "another container has that port: `podman ps` says which; end it, or publish another port",
    ),
    (
        "no space left on device",
        "make room on the host: `podman image prune`, then `df -h /var/lib/containers /var/tmp`",
    ),
    (
        "password is required",
        "sudo asks for a password there: let this user run podman and firewall-cmd without one",
    ),
    (
        "MaxSessions",
        "raise MaxSessions in sshd_config of the host; 4 is enough for a rollout",
    ),
];

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
            Self::Engine(error) if error.hint().is_some() => error.hint().map(str::to_owned),
            Self::NoEngine { reason } if reason.contains("asks for a password") => Some(
                "let this user run `podman system dial-stdio` and `firewall-cmd` without one: provision/bootstrap.sh writes such a rule"
                    .to_owned(),
            ),
            Self::NoEngine { .. } => Some(format!(
                "`deployer check` finds the cause; on {host} `systemctl enable --now podman.socket` is the usual cure"
            )),
            Self::Registry { .. } => Some(
                "`deployer push` puts it there; a registry without TLS stands in `insecure_registries` of [lab]".to_owned(),
            ),
            Self::NoImage { .. } => {
                Some("build it with `deployer build`, or name a registry that the host can reach".to_owned())
            }
            Self::NoLogIn { .. } => Some(
                "set DEPLOYER_ACCOUNT and DEPLOYER_ACCOUNT_PASSWORD for one rollout; it writes them down there".to_owned(),
            ),
            Self::ImageGone { .. } => Some(
                "`deployer history` lists other releases; or build the image again and roll it out".to_owned(),
            ),
            Self::Lost { .. } => Some(format!(
                "see to it that {host} answers; then `deployer rollout --resume` goes on, `deployer rollback` puts back"
            )),
            Self::NoSample { .. } => Some(format!(
                "`deployer logs --host {host}` shows what its client says; can it reach the server's address and port?"
            )),
            error => {
                let said = super::target::chain(error);
                let known = CURES.iter().find(|(words, _)| said.contains(words));
                known.map(|(_, cure)| (*cure).to_owned())
            }
        }
    }

    /// Whether a connection that has ended would explain it.
    pub(super) fn may_be_a_lost_connection(&self) -> bool {
        matches!(
            self,
            Self::Exec(ExecError::Connection { .. } | ExecError::Cut { .. } | ExecError::Deadline { .. })
                | Self::Engine(EngineError::Api { .. })
        )
    }

    /// In one text, with the cure on a line of its own.
    pub(super) fn with_cure(&self, host: &str) -> String {
        let text = super::target::chain(self);
        match self.hint(host) {
            Some(hint) => format!("{text}\ncure: {hint}"),
            None => text,
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
    /// Ctrl-C, or the lock was lost.
    Stopped {
        /// What had failed before, as `host: reason`.
        failures: Vec<String>,
    },
}
