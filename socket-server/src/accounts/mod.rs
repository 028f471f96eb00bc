//! Who may do what: accounts, log-ins, tokens, tickets and API keys.
//!
//! Invariant: no secret is stored or logged as it is: passwords as bcrypt, tokens and keys as SHA-256.

mod accounts_service;
mod api_keys;
mod error;
mod limiter;
mod passwords;
mod policy;
mod secrets;
mod sessions;
mod signing_key;
mod tickets;
mod tokens;

pub use accounts_service::Accounts;
pub use api_keys::NewApiKey;
pub use error::AccountsError;
pub use policy::AccountsPolicy;
pub use secrets::random_id;
pub use sessions::LoggedIn;
pub use signing_key::{SigningKey, SigningKeyError};
pub use tickets::TicketGrant;
pub use tokens::Identity;
