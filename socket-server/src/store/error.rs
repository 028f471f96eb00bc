//! Why a store could not do what was asked.

use thiserror::Error;

/// Why a store could not do what was asked.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The name or id is taken already.
    #[error("{what} already exists")]
    Conflict {
        /// What exists already, as a noun with its article.
        what: &'static str,
    },
    /// There is no such thing, or it belongs to another account.
    #[error("there is no such {what}")]
    NotFound {
        /// What was looked for, as a noun.
        what: &'static str,
    },
    /// The store cannot be reached or cannot write now; trying again later can help.
    #[error("the store is unavailable: {reason}")]
    Unavailable {
        /// What happened, for the log and for `/readyz`.
        reason: String,
    },
    /// The store does not take this server: its credentials are wrong, or a newer release wrote it. Trying again
    /// helps only once a person has changed something.
    #[error("the store refuses this server: {reason}")]
    Refused {
        /// What happened, and what to do.
        reason: String,
    },
    /// What was to be kept does not fit the store, whenever it is tried.
    #[error("the store cannot keep this: {reason}")]
    Unfit {
        /// What it cannot keep, and why.
        reason: String,
    },
    /// What is stored cannot be understood.
    #[error("stored data is damaged: {reason}")]
    Damaged {
        /// Where and how.
        reason: String,
    },
}

impl StoreError {
    /// Whether the same may succeed later, by itself or after a person has changed something.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::Refused { .. })
    }
}
