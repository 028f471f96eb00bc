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
