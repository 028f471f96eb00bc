//! Accounts, sessions and API keys. Each function that writes runs on the writer's thread.

use fjall::Keyspace;
use serde::de::DeserializeOwned;

use super::{
    tables::Tables,
    view::{from_json, to_json},
};
use crate::store::{Account, AccountId, ApiKey, ApiKeyId, Session, StoreError};

impl Tables {
    pub(super) fn create_account(&self, account: &Account, only_first: bool) -> Result<(), StoreError> {
        if only_first && !self.accounts.is_empty()? {
            return Err(StoreError::Conflict { what: "an account" });
        }
        let name = account.name.to_lowercase();
        if self.account_names.contains_key(&name)? || self.accounts.contains_key(&account.id.0)? {
            return Err(StoreError::Conflict {
                what: "an account of that name",
            });
        }
        let mut write = self.database.batch();
        write.insert(&self.accounts, account.id.0.as_str(), to_json(account)?);
        write.insert(&self.account_names, name.as_str(), account.id.0.as_str());
        Ok(write.commit()?)
    }

    pub(super) fn account(&self, id: &AccountId) -> Result<Option<Account>, StoreError> {
        record(&self.accounts, id.0.as_bytes())
    }

    pub(super) fn account_by_name(&self, name: &str) -> Result<Option<Account>, StoreError> {
        match self.account_names.get(name.to_lowercase())? {
            Some(id) => record(&self.accounts, &id),
            None => Ok(None),
        }
    }

    pub(super) fn set_password(&self, id: &AccountId, password_hash: &str) -> Result<(), StoreError> {
        let mut account = self
            .account(id)?
            .ok_or(StoreError::NotFound { what: "account" })?;
        password_hash.clone_into(&mut account.password_hash);
        let mut write = self.database.batch();
        write.insert(&self.accounts, id.0.as_str(), to_json(&account)?);
        for session in records::<Session>(&self.sessions)? {
            if session.account == *id {
                write.remove(&self.sessions, session.token_hash);
            }
        }
        Ok(write.commit()?)
    }

    pub(super) fn create_session(&self, session: &Session) -> Result<(), StoreError> {
        Ok(self
            .sessions
            .insert(session.token_hash.as_str(), to_json(session)?)?)
    }

    pub(super) fn session(&self, token_hash: &str) -> Result<Option<Session>, StoreError> {
        record(&self.sessions, token_hash.as_bytes())
    }

    pub(super) fn rotate_session(&self, old_token_hash: &str, next: &Session) -> Result<bool, StoreError> {
        match self.session(old_token_hash)? {
            Some(mut old) if !old.used => {
                old.used = true;
                let mut write = self.database.batch();
                write.insert(&self.sessions, old_token_hash, to_json(&old)?);
                write.insert(&self.sessions, next.token_hash.as_str(), to_json(next)?);
                write.commit()?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Removes the sessions that `gone` picks; returns how many.
    pub(super) fn remove_sessions(&self, gone: impl Fn(&Session) -> bool) -> Result<u64, StoreError> {
        let mut write = self.database.batch();
        let mut count = 0;
        for session in records::<Session>(&self.sessions)? {
            if gone(&session) {
                write.remove(&self.sessions, session.token_hash);
                count += 1;
            }
        }
        write.commit()?;
        Ok(count)
    }

    pub(super) fn create_api_key(&self, key: &ApiKey) -> Result<(), StoreError> {
        if self.api_key_hashes.contains_key(&key.key_hash)? || self.api_keys.contains_key(&key.id.0)? {
            return Err(StoreError::Conflict {
                what: "an API key of that id",
            });
        }
        let mut write = self.database.batch();
        write.insert(&self.api_keys, key.id.0.as_str(), to_json(key)?);
        write.insert(&self.api_key_hashes, key.key_hash.as_str(), key.id.0.as_str());
        Ok(write.commit()?)
    }

    pub(super) fn api_keys_of(&self, account: &AccountId) -> Result<Vec<ApiKey>, StoreError> {
        let mut keys = records::<ApiKey>(&self.api_keys)?;
        keys.retain(|key| key.account == *account);
        keys.sort_by(|a, b| (a.created_unix_ms, &a.id).cmp(&(b.created_unix_ms, &b.id)));
        Ok(keys)
    }

    pub(super) fn api_key_by_hash(&self, key_hash: &str) -> Result<Option<ApiKey>, StoreError> {
        match self.api_key_hashes.get(key_hash)? {
            Some(id) => record(&self.api_keys, &id),
            None => Ok(None),
        }
    }

    pub(super) fn revoke_api_key(&self, account: &AccountId, id: &ApiKeyId) -> Result<(), StoreError> {
        let key: ApiKey = record(&self.api_keys, id.0.as_bytes())?
            .filter(|key: &ApiKey| key.account == *account)
            .ok_or(StoreError::NotFound { what: "API key" })?;
        let mut write = self.database.batch();
        write.remove(&self.api_keys, id.0.as_str());
        write.remove(&self.api_key_hashes, key.key_hash);
        Ok(write.commit()?)
    }

    pub(super) fn touch_api_key(&self, id: &ApiKeyId, now_unix_ms: i64) -> Result<(), StoreError> {
        if let Some(mut key) = record::<ApiKey>(&self.api_keys, id.0.as_bytes())? {
            key.last_used_unix_ms = Some(now_unix_ms);
            self.api_keys.insert(id.0.as_str(), to_json(&key)?)?;
        }
        Ok(())
    }
}

pub(super) fn record<T: DeserializeOwned>(table: &Keyspace, key: &[u8]) -> Result<Option<T>, StoreError> {
    table.get(key)?.map(|bytes| from_json(&bytes)).transpose()
}

pub(super) fn records<T: DeserializeOwned>(table: &Keyspace) -> Result<Vec<T>, StoreError> {
    table.iter().map(|row| from_json(&row.value()?)).collect()
}
