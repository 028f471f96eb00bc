//! The numbers that account security rests on.

use std::time::Duration;

/// The numbers that account security rests on. The defaults are for use; tests make cheaper ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountsPolicy {
    /// bcrypt's work factor. 12 takes about 0.3 s here (performance.md §4), above OWASP's least of 10.
    pub bcrypt_cost: u32,
    /// How long an access token lives: short, since it cannot be taken back everywhere at once.
    pub access_token_life: Duration,
    /// How long a log-in lives without being used.
    pub session_life: Duration,
    /// How long an exchanged refresh token may come again: two tabs may refresh at the same moment, and a page
    /// that was left while refreshing never saw its new token. Later, a second use means theft.
    pub rotation_grace: Duration,
    /// How long a live ticket is good for.
    pub ticket_life: Duration,
    /// Failed log-ins for one account from one address before it has to wait.
    pub login_failures_free: u32,
    /// The first such wait; it doubles with each further failure.
    pub login_wait: Duration,
}

impl Default for AccountsPolicy {
    fn default() -> Self {
        Self {
            bcrypt_cost: 12,
            access_token_life: Duration::from_secs(15 * 60),
            session_life: Duration::from_secs(14 * 24 * 60 * 60),
            rotation_grace: Duration::from_secs(10),
            ticket_life: Duration::from_secs(30),
            login_failures_free: 5,
            login_wait: Duration::from_secs(2),
        }
    }
}
