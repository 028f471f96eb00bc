//! Why a benchmark could not be run.

use thiserror::Error;

use crate::{api::ApiError, load::LoadError, peer::PeerError, process::ProcessError, report::ResultsError};

/// Why a benchmark could not be run.
#[derive(Debug, Error)]
pub enum ScenarioError {
    /// A program under test failed.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// The peer failed.
    #[error(transparent)]
    Peer(#[from] PeerError),
    /// The API refused.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The load failed.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The results could not be kept.
    #[error(transparent)]
    Results(#[from] ResultsError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] socket_server::store::StoreError),
    /// The store could not be opened.
    #[error(transparent)]
    Open(#[from] socket_server::store::embedded::OpenError),
    /// A file could not be used.
    #[error("cannot use a working file: {0}")]
    Io(#[from] std::io::Error),
    /// A fresh server gave no set-up token.
    #[error("the fresh server printed no set-up link")]
    NoSetupToken,
    /// There is no such scenario.
    #[error("there is no scenario \"{name}\"; the scenarios are {names}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// What there is.
        names: String,
    },
    /// A program that the scenario needs is not installed.
    #[error("{scenario} needs {program}, which is not installed; run: sudo provision/dev-setup.sh {groups}")]
    Missing {
        /// The scenario.
        scenario: &'static str,
        /// The program.
        program: &'static str,
        /// The groups that hold it.
        groups: String,
    },
    /// Node or its packages are missing.
    #[error(
        "{scenario} needs Node and the packages of {folder}; `cargo xtask bench` gets both, `npm ci --prefix {folder}` the packages"
    )]
    NoPackages {
        /// The scenario.
        scenario: &'static str,
        /// The folder of the project.
        folder: &'static str,
    },
    /// A command failed.
    #[error("{command} failed: {output}")]
    Command {
        /// Its words.
        command: String,
        /// The end of what it wrote.
        output: String,
    },
    /// The system under test did not do what the scenario measures.
    #[error("nothing to measure: {reason}")]
    Unmeasured {
        /// What is missing.
        reason: String,
    },
}
