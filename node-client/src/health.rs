//! How a running client tells `node-client healthcheck` that it is well: a small file in the spool's folder.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Name of the state file in the spool's folder.
pub const STATE_FILE: &str = "state.json";

/// How long a written state counts, in milliseconds. The client writes at least every [`STATE_WRITE_EVERY_MS`]: three
/// writes may fail or be late before it counts as stuck.
pub const STATE_FRESH_MS: i64 = 20_000;

/// How often a running client writes its state, in milliseconds; a change of `connected` is written at once.
pub const STATE_WRITE_EVERY_MS: u64 = 5_000;

/// What a running client says about itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClientState {
    /// When this was written, milliseconds since 1970-01-01 UTC.
    pub written_unix_ms: i64,
    /// When the client started, milliseconds since 1970-01-01 UTC.
    pub started_unix_ms: i64,
    /// Distance of two samples in milliseconds.
    pub interval_ms: u64,
    /// Its process id.
    pub pid: u32,
    /// Its version.
    pub version: String,
    /// The server that it talks to.
    pub server: String,
    /// Whether the server has accepted its hello and the connection is open.
    pub connected: bool,
    /// Time of its newest sample, milliseconds since 1970-01-01 UTC; 0 for none yet.
    pub last_sample_unix_ms: i64,
    /// Highest sequence number that the server holds as durable.
    pub acknowledged_seq: u64,
    /// Samples in the spool that are not acknowledged yet.
    pub waiting_samples: u64,
    /// Samples lost since the client started.
    pub dropped_samples: u64,
    /// Numbers of samples that are lost, and that the server does not know as lost yet.
    pub unreported_samples: u64,
    /// Why it is not connected, as one sentence; empty while it is.
    pub problem: String,
}

/// The state cannot be read or written.
#[derive(Debug, Error)]
pub enum StateError {
    /// No client has written there.
    #[error("no node-client has written {path}: is one running with this --spool-dir?")]
    Missing {
        /// The state file.
        path: PathBuf,
    },
    /// The file cannot be used.
    #[error("cannot use {path}: {source}")]
    Io {
        /// The state file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// A client is not well, and why.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NotWell {
    /// It stopped writing its state.
    #[error("the node-client has not been heard of for {seconds} s: it has stopped or is stuck")]
    Silent {
        /// For how long.
        seconds: i64,
    },
    /// It runs but takes no samples.
    #[error("the node-client has taken no sample for {seconds} s; its log says why")]
    NotSampling {
        /// For how long.
        seconds: i64,
    },
    /// It has no connection, and a connection was asked for.
    #[error("the node-client is not connected to {server}: {problem}")]
    NotConnected {
        /// The server.
        server: String,
        /// Why, in its own words.
        problem: String,
    },
}

impl ClientState {
    /// One sentence when the client is well at `now_unix_ms`: it wrote its state and took a sample not longer than
    /// `fresh_ms` ago, and is connected where that `must_be_connected`.
    ///
    /// # Errors
    /// What is not well.
    pub fn check(&self, now_unix_ms: i64, fresh_ms: i64, must_be_connected: bool) -> Result<String, NotWell> {
        let age = |since_unix_ms: i64| now_unix_ms.saturating_sub(since_unix_ms);
        if age(self.written_unix_ms) > fresh_ms {
            return Err(NotWell::Silent {
                seconds: age(self.written_unix_ms) / 1_000,
            });
        }
        // Taken against the time of writing: a client that samples once a minute writes its state in between.
        let sampled = self.last_sample_unix_ms.max(self.started_unix_ms);
        let slowest = i64::try_from(self.interval_ms)
            .unwrap_or(i64::MAX)
            .saturating_mul(3);
        if age(sampled) > fresh_ms.max(slowest) {
            return Err(NotWell::NotSampling {
                seconds: age(sampled) / 1_000,
            });
        }
        let (server, waiting) = (&self.server, self.waiting_samples);
        if self.connected {
            return Ok(format!(
                "well: connected to {server}, {waiting} samples wait for an acknowledgement"
            ));
        }
        let problem = if self.problem.is_empty() {
            "it is still trying".to_owned()
        } else {
            self.problem.clone()
        };
        if must_be_connected {
            return Err(NotWell::NotConnected {
                server: server.clone(),
                problem,
            });
        }
        Ok(format!(
            "well, but not connected to {server}: {problem}; {waiting} samples wait in the spool"
        ))
    }
}

/// Writes the state into `folder`, so that a reader sees the old one or the new one and nothing between.
///
/// # Errors
/// When the folder cannot be written.
pub fn write_state(folder: &Path, state: &ClientState) -> Result<(), StateError> {
    let path = folder.join(STATE_FILE);
    let fresh = folder.join(".state.json.new");
    let failed = |source| StateError::Io {
        path: path.clone(),
        source,
    };
    let text = serde_json::to_vec(state).map_err(|error| failed(error.into()))?;
    fs::write(&fresh, text).map_err(failed)?;
    fs::rename(&fresh, &path).map_err(failed)
}

/// Reads the state from `folder`.
///
/// # Errors
/// When there is none or it is not a state.
pub fn read_state(folder: &Path) -> Result<ClientState, StateError> {
    let path = folder.join(STATE_FILE);
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(StateError::Missing { path }),
        Err(source) => return Err(StateError::Io { path, source }),
    };
    serde_json::from_slice(&text).map_err(|error| StateError::Io {
        path,
        source: error.into(),
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "a test fails by panicking")]

    use super::*;

    fn state() -> ClientState {
        ClientState {
            written_unix_ms: 100_000,
            last_sample_unix_ms: 99_500,
            interval_ms: 1_000,
            server: "https://server:8000/".to_owned(),
            connected: true,
            ..ClientState::default()
        }
    }

    #[test]
    fn a_client_that_writes_and_samples_is_well() {
        let summary = state().check(101_000, STATE_FRESH_MS, true).expect("well");
        assert!(summary.contains("connected to https://server:8000/"), "{summary}");
    }

    #[test]
    fn silence_and_missing_samples_are_told_apart() {
        let silent = state().check(130_000, STATE_FRESH_MS, false);
        assert_eq!(silent, Err(NotWell::Silent { seconds: 30 }));
        let mut stuck = state();
        stuck.last_sample_unix_ms = 70_000;
        assert_eq!(
            stuck.check(100_000, STATE_FRESH_MS, false),
            Err(NotWell::NotSampling { seconds: 30 })
        );
        stuck.interval_ms = 60_000;
        assert!(stuck.check(100_000, STATE_FRESH_MS, false).is_ok());
    }

    #[test]
    fn a_lost_connection_counts_only_where_it_is_asked_for() {
        let state = ClientState {
            connected: false,
            problem: "the key was revoked".to_owned(),
            ..state()
        };
        assert!(
            state
                .check(100_000, STATE_FRESH_MS, false)
                .expect("well")
                .contains("the key was revoked")
        );
        let error = state
            .check(100_000, STATE_FRESH_MS, true)
            .expect_err("not connected");
        assert!(error.to_string().contains("the key was revoked"), "{error}");
    }

    #[test]
    fn a_state_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().expect("temp folder");
        assert!(matches!(
            read_state(folder.path()),
            Err(StateError::Missing { .. })
        ));
        write_state(folder.path(), &state()).expect("write");
        assert_eq!(read_state(folder.path()).expect("read"), state());
        fs::write(folder.path().join(STATE_FILE), "{").expect("write");
        assert!(matches!(read_state(folder.path()), Err(StateError::Io { .. })));
    }
}
