//! Log-ins: a refresh token that changes with every use, and the access tokens made from it.

use std::{collections::HashMap, time::Instant};

use parking_lot::Mutex;
use secrecy::SecretString;

use super::{
    Accounts, AccountsError, Identity,
    secrets::{random_id, random_secret, sha256_hex},
};
use crate::{
    clock::now_unix_ms,
    store::{Account, AccountId, Session},
};

/// What a person gets who has logged in.
#[derive(Debug, Clone)]
pub struct LoggedIn {
    /// The account.
    pub account: AccountId,
    /// Its name.
    pub name: String,
    /// The access token, for the page's memory.
    pub access_token: SecretString,
    /// How long it lives.
    pub access_token_life: std::time::Duration,
    /// The refresh token, for the cookie.
    pub refresh_token: SecretString,
    /// How long the cookie lives.
    pub session_life: std::time::Duration,
}

/// Log-ins that ended while access tokens of theirs still live, and refresh tokens exchanged a moment ago.
#[derive(Debug, Default)]
pub(super) struct Endings {
    families: Mutex<HashMap<String, i64>>,
    accounts: Mutex<HashMap<AccountId, i64>>,
    rotated: Mutex<HashMap<String, Instant>>,
}

impl Endings {
    /// Refuses access tokens of a log-in from now on.
    pub(super) fn end_family(&self, family: &str, now_unix_ms: i64, token_life_ms: i64) {
        let mut families = self.families.lock();
        families.retain(|_, ended| ended.saturating_add(token_life_ms) > now_unix_ms);
        families.insert(family.to_owned(), now_unix_ms);
    }

    /// Refuses access tokens of an account that were made before `now_unix_ms`.
    pub(super) fn end_account(&self, account: &AccountId, now_unix_ms: i64, token_life_ms: i64) {
        let mut accounts = self.accounts.lock();
        accounts.retain(|_, ended| ended.saturating_add(token_life_ms) > now_unix_ms);
        accounts.insert(account.clone(), now_unix_ms);
    }

    /// Whether a token's log-in goes on.
    pub(super) fn allow(&self, identity: &Identity) -> bool {
        !self.families.lock().contains_key(&identity.session_family)
            && self
                .accounts
                .lock()
                .get(&identity.account)
                .is_none_or(|ended| identity.issued_unix_ms >= *ended)
    }

    fn note_rotated(&self, token_hash: String, now: Instant, grace: std::time::Duration) {
        let mut rotated = self.rotated.lock();
        rotated.retain(|_, at| now.duration_since(*at) < grace);
        rotated.insert(token_hash, now);
    }

    fn rotated_lately(&self, token_hash: &str, now: Instant, grace: std::time::Duration) -> bool {
        self.rotated
            .lock()
            .get(token_hash)
            .is_some_and(|at| now.duration_since(*at) < grace)
    }
}

impl Accounts {
    /// Opens a log-in for an account whose password was right.
    pub(super) async fn open_session(&self, account: &Account) -> Result<LoggedIn, AccountsError> {
        let refresh_token = random_secret();
        let session = self.session(&refresh_token, &account.id, random_id());
        self.store.create_session(session.clone()).await?;
        self.logged_in(account, &session, refresh_token)
    }

    /// Exchanges a refresh token for the next one and an access token.
    ///
    /// # Errors
    /// `SessionEnded` when the token is unknown, expired, or was used before; the last ends the whole log-in,
    /// since one of its two users has stolen it.
    pub async fn refresh(&self, refresh_token: &str) -> Result<LoggedIn, AccountsError> {
        let hash = sha256_hex(refresh_token);
        let (now, grace) = (Instant::now(), self.policy.rotation_grace);
        let old = self
            .store
            .session(&hash)
            .await?
            .ok_or(AccountsError::SessionEnded)?;
        if old.expires_unix_ms <= now_unix_ms() {
            return Err(AccountsError::SessionEnded);
        }
        let next_token = random_secret();
        let next = self.session(&next_token, &old.account, old.family.clone());
        let rotated = !old.used && self.store.rotate_session(&hash, next.clone()).await?;
        if rotated {
            self.endings.note_rotated(hash, now, grace);
        } else if self.endings.rotated_lately(&hash, now, grace) {
            self.store.create_session(next.clone()).await?;
        } else {
            tracing::warn!(account = %old.account, "a refresh token was used twice: its log-in is ended");
            self.end_family(&old.account, &old.family).await?;
            return Err(AccountsError::SessionEnded);
        }
        let account = self
            .store
            .account(&old.account)
            .await?
            .ok_or(AccountsError::SessionEnded)?;
        self.logged_in(&account, &next, next_token)
    }

    /// Ends the log-in of a refresh token; an unknown one is ended already.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn log_out(&self, refresh_token: &str) -> Result<(), AccountsError> {
        match self.store.session(&sha256_hex(refresh_token)).await? {
            Some(session) => self.end_family(&session.account, &session.family).await,
            None => Ok(()),
        }
    }

    async fn end_family(&self, account: &AccountId, family: &str) -> Result<(), AccountsError> {
        self.endings
            .end_family(family, now_unix_ms(), self.token_life_ms());
        self.fleet.close_session_family(account, family);
        self.store.end_session_family(family).await?;
        Ok(())
    }

    fn session(&self, refresh_token: &str, account: &AccountId, family: String) -> Session {
        let life_ms = i64::try_from(self.policy.session_life.as_millis()).unwrap_or(i64::MAX);
        Session {
            token_hash: sha256_hex(refresh_token),
            family,
            account: account.clone(),
            expires_unix_ms: now_unix_ms().saturating_add(life_ms),
            used: false,
        }
    }

    fn logged_in(
        &self,
        account: &Account,
        session: &Session,
        refresh_token: String,
    ) -> Result<LoggedIn, AccountsError> {
        let identity = Identity {
            account: account.id.clone(),
            session_family: session.family.clone(),
            session_expires_unix_ms: session.expires_unix_ms,
            issued_unix_ms: now_unix_ms(),
        };
        Ok(LoggedIn {
            account: account.id.clone(),
            name: account.name.clone(),
            access_token: self.tokens.issue(&identity)?.into(),
            access_token_life: self.policy.access_token_life,
            refresh_token: refresh_token.into(),
            session_life: self.policy.session_life,
        })
    }
}
