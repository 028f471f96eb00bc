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
    /// The hash of nothing at the same cost, so that an unknown name takes as long as a known one.
    decoy: String,
}

/// Salt and digest of the decoy, each all zeros: no password is known that has them. A real hash would do as well, and
/// would cost every start of the server a quarter of a second.
const DECOY_SALT_AND_DIGEST: &str = ".....................................................";

impl Passwords {
    /// # Errors
    /// When bcrypt refuses the cost.
    pub(super) fn new(policy: &AccountsPolicy) -> Result<Self, AccountsError> {
        let cost = policy.bcrypt_cost;
        let decoy = format!("$2b${cost:02}${DECOY_SALT_AND_DIGEST}");
        // It is read here, so that a cost which makes no hash is found at the start.
        decoy.parse::<bcrypt::HashParts>().map_err(internal)?;
        Ok(Self {
            cost,
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

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nobody_s_password_is_checked_and_never_right() {
        let policy = AccountsPolicy {
            bcrypt_cost: 4,
            ..AccountsPolicy::default()
        };
        let passwords = Passwords::new(&policy).expect("a cost that bcrypt takes");
        let good = || SecretString::from("correct horse battery");
        let checked = bcrypt::verify("correct horse battery", &passwords.decoy);
        assert!(!checked.expect("is a hash"));
        assert!(!passwords.matches(good(), None).await.expect("checks"));
        let hash = passwords.hash(good()).await.expect("hashes");
        assert_eq!(hash.len(), passwords.decoy.len());
        assert!(passwords.matches(good(), Some(hash)).await.expect("checks"));
    }
}
