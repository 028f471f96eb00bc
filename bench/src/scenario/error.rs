//! Why a benchmark could not be run.

use thiserror::Error;

use crate::{api::ApiError, load::LoadError, process::ProcessError};

/// Why a benchmark could not be run.
#[derive(Debug, Error)]
pub enum ScenarioError {
    /// A program under test failed.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// The API refused.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The load failed.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// A file could not be used.
    #[error("cannot use a working file: {0}")]
    Io(#[from] std::io::Error),
    /// A fresh server gave no set-up token.
    #[error("the fresh server printed no set-up link")]
    NoSetupToken,
}
