//! Passwords: bcrypt on a bounded blocking pool, in equal time whether the account exists or not.

use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Semaphore;

use super::{AccountsError, AccountsPolicy};

/// bcrypt reads no more; a longer password would be cut in silence.
const PASSWORD_BYTES_MAX: usize = 72;
/// Least length in characters (NIST SP 800-63B §3.1.1.2 asks for 8 at least).
const PASSWORD_CHARS_MIN: usize = 8;
/// Passwords that are checked at the same time: more would take every processor from the live path.
const CHECKS_AT_ONCE: usize = 2;
/// Passwords that wait for a check: about ten seconds of work, longer than a person waits.
const CHECKS_WAITING_MAX: usize = 64;

/// Hashes and checks passwords.
#[derive(Debug)]
pub(super) struct Passwords {
    cost: u32,
    waiting: Semaphore,
    running: Arc<Semaphore>,
    /// A hash of no one's password at the same cost, so that an unknown name takes as long as a known one.
    decoy: String,
}

impl Passwords {
    /// # Errors
    /// When bcrypt refuses the cost.
    pub(super) fn new(policy: &AccountsPolicy) -> Result<Self, AccountsError> {
        let decoy = bcrypt::hash(super::secrets::random_secret(), policy.bcrypt_cost).map_err(internal)?;
        Ok(Self {
            cost: policy.bcrypt_cost,
            waiting: Semaphore::new(CHECKS_WAITING_MAX),
            running: Arc::new(Semaphore::new(CHECKS_AT_ONCE)),
            decoy,
        })
    }

    /// Hashes a new password.
    ///
    /// # Errors
    /// When the password is not acceptable, or too many wait.
    pub(super) async fn hash(&self, password: SecretString) -> Result<String, AccountsError> {
        check_new(password.expose_secret())?;
        let cost = self.cost;
        self.blocking(move || bcrypt::non_truncating_hash(password.expose_secret(), cost))
            .await?
            .map_err(internal)
    }

    /// Whether `password` is the one of `hash`; for an unknown account (`None`) always false, after the same work.
    ///
    /// # Errors
    /// When too many wait.
    pub(super) async fn matches(
        &self,
        password: SecretString,
        hash: Option<String>,
    ) -> Result<bool, AccountsError> {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.decoy.clone());
        let matches = self
            .blocking(move || {
                let password = password.expose_secret();
                // An over-long password cannot have been accepted; it still costs the same work.
                let end = password.floor_char_boundary(PASSWORD_BYTES_MAX);
                bcrypt::verify(&password[..end], &hash).map(|same| same && end == password.len())
            })
            .await?
            .map_err(internal)?;
        Ok(known && matches)
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, AccountsError> {
        let _waiting = self.waiting.try_acquire().map_err(|_| AccountsError::Busy)?;
        let running = Arc::clone(&self.running)
            .acquire_owned()
            .await
            .map_err(|_| AccountsError::Busy)?;
        tokio::task::spawn_blocking(move || {
            let result = work();
            drop(running);
            result
        })
        .await
        .map_err(|error| AccountsError::Internal(format!("the password check did not finish: {error}")))
    }
}

fn internal(error: bcrypt::BcryptError) -> AccountsError {
    AccountsError::Internal(format!("bcrypt: {error}"))
}

fn check_new(password: &str) -> Result<(), AccountsError> {
    if password.chars().count() < PASSWORD_CHARS_MIN {
        return Err(AccountsError::BadPassword("a password has at least 8 characters"));
    }
    if password.len() > PASSWORD_BYTES_MAX {
        return Err(AccountsError::BadPassword("a password has at most 72 bytes"));
    }
    if password.contains('\0') {
        return Err(AccountsError::BadPassword("a password has no NUL character"));
    }
    Ok(())
}
