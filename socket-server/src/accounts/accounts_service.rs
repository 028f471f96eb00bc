//! Accounts: set up, register, log in, change the password, and who a token speaks for.

use std::{
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use secrecy::SecretString;

use super::{
    AccountsError, AccountsPolicy, Identity, LoggedIn, SigningKey, TicketGrant,
    api_keys::KeyUses,
    limiter::LoginLimiter,
    passwords::Passwords,
    secrets::{random_id, random_secret, sha256_hex},
    sessions::Endings,
    tickets::Tickets,
    tokens::AccessTokens,
};
use crate::{
    clock::now_unix_ms,
    fleet::Fleet,
    store::{Account, AccountId, Store, StoreError},
};

/// Longest account name.
const NAME_CHARS_MAX: usize = 64;

/// Everything about who may do what.
pub struct Accounts {
    pub(super) store: Arc<dyn Store>,
    pub(super) fleet: Arc<Fleet>,
    pub(super) policy: AccountsPolicy,
    pub(super) tokens: AccessTokens,
    pub(super) endings: Endings,
    pub(super) key_uses: KeyUses,
    passwords: Passwords,
    tickets: Tickets,
    limiter: LoginLimiter,
    setup_token_hash: Mutex<Option<String>>,
    registration_open: bool,
}

impl Accounts {
    /// # Errors
    /// When the policy cannot be held to.
    pub fn new(
        store: Arc<dyn Store>,
        fleet: Arc<Fleet>,
        policy: AccountsPolicy,
        key: &SigningKey,
        registration_open: bool,
    ) -> Result<Self, AccountsError> {
        Ok(Self {
            tokens: AccessTokens::new(key, policy.access_token_life),
            endings: Endings::default(),
            key_uses: KeyUses::default(),
            passwords: Passwords::new(&policy)?,
            tickets: Tickets::new(policy.ticket_life),
            limiter: LoginLimiter::new(policy.login_failures_free, policy.login_wait),
            setup_token_hash: Mutex::new(None),
            store,
            fleet,
            policy,
            registration_open,
        })
    }

    /// Whether anyone may register.
    pub fn registration_open(&self) -> bool {
        self.registration_open
    }

    /// Whether there is no account yet.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn setup_required(&self) -> Result<bool, AccountsError> {
        Ok(self.store.count_accounts().await? == 0)
    }

    /// A one-time token for setting up the first account, when there is none yet. It replaces the one before.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn open_setup(&self) -> Result<Option<String>, AccountsError> {
        if !self.setup_required().await? {
            return Ok(None);
        }
        let token = random_secret();
        *self.setup_token_hash.lock() = Some(sha256_hex(&token));
        Ok(Some(token))
    }

    /// Makes the first account.
    ///
    /// # Errors
    /// `SetupClosed` when the token is wrong or there is an account already; else as [`register`](Self::register).
    pub async fn set_up(
        &self,
        token: &str,
        name: &str,
        password: SecretString,
    ) -> Result<LoggedIn, AccountsError> {
        // Hashes are compared: how long that takes tells nothing about the token.
        if self.setup_token_hash.lock().as_deref() != Some(sha256_hex(token).as_str()) {
            return Err(AccountsError::SetupClosed);
        }
        let logged_in = self
            .create(name, password, true)
            .await
            .map_err(|error| match error {
                AccountsError::NameTaken => AccountsError::SetupClosed,
                other => other,
            })?;
        *self.setup_token_hash.lock() = None;
        Ok(logged_in)
    }

    /// Makes a further account, where that is open.
    ///
    /// # Errors
    /// `RegistrationClosed`, `BadName`, `BadPassword`, `NameTaken`, or the store's own.
    pub async fn register(&self, name: &str, password: SecretString) -> Result<LoggedIn, AccountsError> {
        if !self.registration_open {
            return Err(AccountsError::RegistrationClosed);
        }
        self.create(name, password, false).await
    }

    async fn create(
        &self,
        name: &str,
        password: SecretString,
        only_first: bool,
    ) -> Result<LoggedIn, AccountsError> {
        let unfit = name.is_empty() || name.trim() != name || name.chars().any(char::is_control);
        if unfit || name.chars().count() > NAME_CHARS_MAX {
            return Err(AccountsError::BadName);
        }
        let account = Account {
            id: AccountId(random_id()),
            name: name.to_owned(),
            password_hash: self.passwords.hash(password).await?,
            created_unix_ms: now_unix_ms(),
        };
        self.store
            .create_account(account.clone(), only_first)
            .await
            .map_err(|error| match error {
                StoreError::Conflict { .. } => AccountsError::NameTaken,
                other => other.into(),
            })?;
        self.open_session(&account).await
    }

    /// Checks a password and opens a log-in.
    ///
    /// # Errors
    /// `WrongCredentials`, after the same time for a known and an unknown name; `TooManyAttempts`; `Busy`.
    pub async fn log_in(
        &self,
        name: &str,
        password: SecretString,
        address: IpAddr,
    ) -> Result<LoggedIn, AccountsError> {
        self.limiter.attempt(name, address, Instant::now())?;
        let account = self.store.account_by_name(name).await?;
        let hash = account.as_ref().map(|account| account.password_hash.clone());
        let matches = self.passwords.matches(password, hash).await?;
        let account = account
            .filter(|_| matches)
            .ok_or(AccountsError::WrongCredentials)?;
        self.limiter.succeeded(name, address);
        self.open_session(&account).await
    }

    /// Changes a password: every log-in of the account ends, and this one begins anew.
    ///
    /// # Errors
    /// `WrongCredentials` when the present password is wrong; `BadPassword`; `TooManyAttempts`; `Busy`.
    pub async fn change_password(
        &self,
        identity: &Identity,
        current: SecretString,
        new: SecretString,
        address: IpAddr,
    ) -> Result<LoggedIn, AccountsError> {
        let account = self.account(identity).await?;
        self.limiter.attempt(&account.name, address, Instant::now())?;
        if !self
            .passwords
            .matches(current, Some(account.password_hash.clone()))
            .await?
        {
            return Err(AccountsError::WrongCredentials);
        }
        self.limiter.succeeded(&account.name, address);
        let hash = self.passwords.hash(new).await?;
        self.store.set_password(&account.id, &hash).await?;
        self.endings
            .end_account(&account.id, now_unix_ms(), self.token_life_ms());
        self.fleet.close_account_viewers(&account.id);
        self.open_session(&account).await
    }

    /// Whom an access token speaks for.
    ///
    /// # Errors
    /// `Unauthenticated`.
    pub fn authenticate(&self, access_token: &str) -> Result<Identity, AccountsError> {
        let identity = self.tokens.check(access_token)?;
        if self.endings.allow(&identity) {
            Ok(identity)
        } else {
            Err(AccountsError::Unauthenticated)
        }
    }

    /// The account of a token.
    ///
    /// # Errors
    /// `Unauthenticated` when there is no such account any more.
    pub async fn account(&self, identity: &Identity) -> Result<Account, AccountsError> {
        self.store
            .account(&identity.account)
            .await?
            .ok_or(AccountsError::Unauthenticated)
    }

    /// A ticket for one live socket.
    pub fn issue_ticket(&self, identity: Identity) -> TicketGrant {
        self.tickets.issue(identity, Instant::now())
    }

    /// Takes a ticket, whose log-in must still go on.
    pub fn take_ticket(&self, ticket: &str) -> Option<Identity> {
        self.tickets
            .take(ticket, Instant::now())
            .filter(|identity| self.endings.allow(identity))
    }

    pub(super) fn token_life_ms(&self) -> i64 {
        i64::try_from(self.policy.access_token_life.as_millis()).unwrap_or(i64::MAX)
    }

    /// How long a log-in lives without being used.
    pub fn session_life(&self) -> Duration {
        self.policy.session_life
    }
}
