//! What can go wrong between us and an engine.

use std::{io, path::PathBuf};

use thiserror::Error;

/// A request to an engine that failed.
#[derive(Debug, Error)]
pub enum EngineError {
    /// No engine of this machine answers.
    #[error("no container engine answers on this machine; tried {}", list(.tried))]
    NoSocket {
        /// The sockets that were tried.
        tried: Vec<PathBuf>,
    },

    /// The engine's own service could not be started.
    #[error("cannot start `podman system service`: {reason}")]
    Service {
        /// What was in the way.
        reason: String,
        /// The operating system's word, where it had one.
        #[source]
        source: Option<io::Error>,
    },

    /// Something on this machine was in the way.
    #[error("cannot {what}")]
    Local {
        /// What was tried.
        what: String,
        /// Why.
        #[source]
        source: io::Error,
    },

    /// The engine has no such thing.
    #[error("the engine at {place} cannot {action}: there is no such thing")]
    Missing {
        /// Which engine.
        place: String,
        /// What was asked.
        action: String,
    },

    /// The engine refused.
    #[error("the engine at {place} cannot {action}: {message}")]
    Refused {
        /// Which engine.
        place: String,
        /// What was asked.
        action: String,
        /// The HTTP status.
        status: u16,
        /// The engine's own words.
        message: String,
    },

    /// The engine was not reached by a request of Podman's own API.
    #[error("the engine at {place} did not {action}")]
    Unreached {
        /// Which engine.
        place: String,
        /// What was asked.
        action: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },

    /// The engine was not reached, or the answer made no sense.
    #[error("the engine at {place} did not {action}")]
    Api {
        /// Which engine.
        place: String,
        /// What was asked.
        action: String,
        /// Why.
        #[source]
        source: bollard::errors::Error,
    },
}

impl EngineError {
    pub(super) fn api(place: &str, action: &str, source: bollard::errors::Error) -> Self {
        let (place, action) = (place.to_owned(), action.to_owned());
        match source {
            bollard::errors::Error::DockerResponseServerError { status_code: 404, .. } => {
                Self::Missing { place, action }
            }
            bollard::errors::Error::DockerResponseServerError { status_code, message } => Self::Refused {
                place,
                action,
                status: status_code,
                message,
            },
            source => Self::Api {
                place,
                action,
                source,
            },
        }
    }

    /// Whether the thing that was asked about does not exist.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Missing { .. })
    }

    /// Whether something else uses the thing that was to be removed.
    #[must_use]
    pub fn is_in_use(&self) -> bool {
        matches!(self, Self::Refused { status: 409, .. })
    }

    /// What to do next, where there is something.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoSocket { .. } => {
                Some("start one: `systemctl enable --now podman.socket`, or point DOCKER_HOST at a socket")
            }
            Self::Service {
                source: Some(error), ..
            } if error.kind() == io::ErrorKind::NotFound => {
                Some("install podman: `apt install podman netavark` or `dnf install podman`")
            }
            Self::Service { .. } => Some("`podman info` as the same user says what is wrong with it"),
            _ => None,
        }
    }
}

fn list(sockets: &[PathBuf]) -> String {
    let names: Vec<String> = sockets
        .iter()
        .map(|socket| socket.display().to_string())
        .collect();
    names.join(", ")
}
