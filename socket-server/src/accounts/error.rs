//! Why an account may not do something.

use std::time::Duration;

use thiserror::Error;

use crate::store::StoreError;

/// Why an account may not do something.
#[derive(Debug, Error)]
pub enum AccountsError {
    /// The name is not acceptable.
    #[error("an account name has 1 to 64 characters, no spaces at its ends and no control characters")]
    BadName,
    /// The password is not acceptable.
    #[error("{0}")]
    BadPassword(&'static str),
    /// The label of a key is not acceptable.
    #[error("a key's label has 1 to 100 characters, none of them a control character")]
    BadLabel,
    /// The life of a key is not acceptable.
    #[error("a key lives 1 to 3650 days")]
    BadExpiry,
    /// Name or password is wrong; which one is not told.
    #[error("the name or the password is wrong")]
    WrongCredentials,
    /// Too many failures from this address for this account.
    #[error("too many failed log-ins for this account from your address")]
    TooManyAttempts {
        /// When to try again.
        retry_after: Duration,
    },
    /// Too many passwords are being checked.
    #[error("the server is busy checking passwords")]
    Busy,
    /// The access token is missing, wrong or expired.
    #[error("the access token is missing, wrong or expired")]
    Unauthenticated,
    /// The refresh token is missing, unknown, ended or was used before.
    #[error("the log-in has ended")]
    SessionEnded,
    /// The set-up token is wrong, or the server is set up.
    #[error("the set-up link is not valid (any more)")]
    SetupClosed,
    /// Accounts are not open to everyone.
    #[error("registration is closed on this server")]
    RegistrationClosed,
    /// The account's name is taken.
    #[error("an account of that name exists already")]
    NameTaken,
    /// The API key is missing, wrong, revoked or expired.
    #[error("{0}")]
    BadApiKey(&'static str),
    /// The account has its most keys.
    #[error("an account has at most 1000 keys")]
    TooManyKeys,
    /// The store's own error.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A library refused to do its part.
    #[error("{0}")]
    Internal(String),
}
