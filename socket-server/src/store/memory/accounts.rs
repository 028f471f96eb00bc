//! Accounts, sessions and API keys in memory.

use super::state::State;
use crate::store::{Account, AccountId, ApiKey, ApiKeyId, Session, StoreError};

impl State {
    pub(super) fn create_account(&mut self, account: Account, only_first: bool) -> Result<(), StoreError> {
        if only_first && !self.accounts.is_empty() {
            return Err(StoreError::Conflict { what: "an account" });
        }
        if self.accounts.contains_key(&account.id) || self.account_by_name(&account.name).is_some() {
            return Err(StoreError::Conflict {
                what: "an account of that name",
            });
        }
        self.accounts.insert(account.id.clone(), account);
        Ok(())
    }

    pub(super) fn account_by_name(&self, name: &str) -> Option<Account> {
        let wanted = name.to_lowercase();
        self.accounts
            .values()
            .find(|account| account.name.to_lowercase() == wanted)
            .cloned()
    }

    pub(super) fn set_password(&mut self, id: &AccountId, password_hash: &str) -> Result<(), StoreError> {
        let account = self
            .accounts
            .get_mut(id)
            .ok_or(StoreError::NotFound { what: "account" })?;
        account.password_hash = password_hash.to_owned();
        self.sessions.retain(|_, session| session.account != *id);
        Ok(())
    }

    pub(super) fn rotate_session(&mut self, old_token_hash: &str, next: Session) -> bool {
        match self.sessions.get_mut(old_token_hash) {
            Some(old) if !old.used => {
                old.used = true;
                self.sessions.insert(next.token_hash.clone(), next);
                true
            }
            _ => false,
        }
    }

    pub(super) fn remove_expired_sessions(&mut self, now_unix_ms: i64) -> u64 {
        let before = self.sessions.len();
        self.sessions
            .retain(|_, session| session.expires_unix_ms > now_unix_ms);
        (before - self.sessions.len()) as u64
    }

    pub(super) fn create_api_key(&mut self, key: ApiKey) -> Result<(), StoreError> {
        if self.api_key_by_hash(&key.key_hash).is_some() || self.api_keys.contains_key(&key.id) {
            return Err(StoreError::Conflict {
                what: "an API key of that id",
            });
        }
        self.api_keys.insert(key.id.clone(), key);
        Ok(())
    }

    pub(super) fn api_keys_of(&self, account: &AccountId) -> Vec<ApiKey> {
        let mut keys: Vec<ApiKey> = self
            .api_keys
            .values()
            .filter(|key| key.account == *account)
            .cloned()
            .collect();
        keys.sort_by(|a, b| (a.created_unix_ms, &a.id).cmp(&(b.created_unix_ms, &b.id)));
        keys
    }

    pub(super) fn api_key_by_hash(&self, key_hash: &str) -> Option<ApiKey> {
        self.api_keys
            .values()
            .find(|key| key.key_hash == key_hash)
            .cloned()
    }

    pub(super) fn revoke_api_key(&mut self, account: &AccountId, id: &ApiKeyId) -> Result<(), StoreError> {
        match self.api_keys.get(id) {
            Some(key) if key.account == *account => {
                self.api_keys.remove(id);
                Ok(())
            }
            _ => Err(StoreError::NotFound { what: "API key" }),
        }
    }
}
