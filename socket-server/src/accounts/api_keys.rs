//! API keys: shown once, kept as a hash, with a checksum that finds typing errors without asking the store.

use std::collections::HashMap;

use parking_lot::Mutex;

use super::{
    Accounts, AccountsError,
    secrets::{base62, random_base62, random_id, sha256_hex},
};
use crate::{
    clock::now_unix_ms,
    fleet::CloseReason,
    store::{AccountId, ApiKey, ApiKeyId, StoreError},
};

const KEY_PREFIX: &str = "mf_";
/// 34 characters of base 62 hold 202 bits.
const RANDOM_CHARS: usize = 34;
/// 32 bits of CRC fit into 6 characters of base 62.
const CHECKSUM_CHARS: usize = 6;
/// What people see of a key, to tell keys apart.
const SHOWN_CHARS: usize = 11;
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
/// Ten years: longer than any machine of a lab.
const EXPIRY_DAYS_MAX: u32 = 3_650;
const LABEL_CHARS_MAX: usize = 100;
/// More keys than a person can look after.
const KEYS_MAX: usize = 1_000;
/// How often the store notes that a key is used: people want to know the day, not the second.
const TOUCH_EVERY_MS: i64 = 60_000;

/// A key just made, with the secret that is shown this once.
#[derive(Debug, Clone)]
pub struct NewApiKey {
    /// What is kept.
    pub record: ApiKey,
    /// The key itself.
    pub key: secrecy::SecretString,
}

/// When each key's use was last written down.
#[derive(Debug, Default)]
pub(super) struct KeyUses(Mutex<HashMap<ApiKeyId, i64>>);

impl KeyUses {
    fn is_due(&self, id: &ApiKeyId, now_unix_ms: i64) -> bool {
        let mut uses = self.0.lock();
        match uses.get(id) {
            Some(last) if now_unix_ms - last < TOUCH_EVERY_MS => false,
            _ => {
                uses.insert(id.clone(), now_unix_ms);
                true
            }
        }
    }
}

impl Accounts {
    /// All keys of an account, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn api_keys(&self, account: &AccountId) -> Result<Vec<ApiKey>, AccountsError> {
        Ok(self.store.api_keys(account).await?)
    }

    /// Makes a key.
    ///
    /// # Errors
    /// `BadLabel`, `BadExpiry`, `TooManyKeys`, or the store's own.
    pub async fn create_api_key(
        &self,
        account: &AccountId,
        label: &str,
        expires_in_days: Option<u32>,
    ) -> Result<NewApiKey, AccountsError> {
        let label = label.trim();
        if label.is_empty() || label.chars().count() > LABEL_CHARS_MAX || label.chars().any(char::is_control)
        {
            return Err(AccountsError::BadLabel);
        }
        if expires_in_days.is_some_and(|days| days == 0 || days > EXPIRY_DAYS_MAX) {
            return Err(AccountsError::BadExpiry);
        }
        if self.store.api_keys(account).await?.len() >= KEYS_MAX {
            return Err(AccountsError::TooManyKeys);
        }
        let expires_unix_ms = expires_in_days.map(|days| now_unix_ms() + i64::from(days) * DAY_MS);
        let new = make(account, label.to_owned(), expires_unix_ms);
        self.store.create_api_key(new.record.clone()).await?;
        Ok(new)
    }

    /// Takes a key back: its connections close at once.
    ///
    /// # Errors
    /// `NotFound` when the account has no such key.
    pub async fn revoke_api_key(&self, account: &AccountId, id: &ApiKeyId) -> Result<(), AccountsError> {
        self.store.revoke_api_key(account, id).await?;
        self.fleet.close_key(account, id, CloseReason::KeyRevoked);
        Ok(())
    }

    /// Puts a new key in an old one's place, with its label and the same time to live.
    ///
    /// # Errors
    /// `NotFound` when the account has no such key.
    pub async fn rotate_api_key(
        &self,
        account: &AccountId,
        id: &ApiKeyId,
    ) -> Result<NewApiKey, AccountsError> {
        let keys = self.store.api_keys(account).await?;
        let old = keys
            .into_iter()
            .find(|key| key.id == *id)
            .ok_or(StoreError::NotFound { what: "API key" })?;
        let life_ms = old.expires_unix_ms.map(|end| end - old.created_unix_ms);
        let new = make(account, old.label, life_ms.map(|life| now_unix_ms() + life));
        self.store.create_api_key(new.record.clone()).await?;
        self.revoke_api_key(account, id).await?;
        Ok(new)
    }

    /// The record of a key that a node-client shows.
    ///
    /// # Errors
    /// `BadApiKey`, with a reason that helps its owner and nobody else: it tells only what the text itself tells,
    /// or what one who holds the whole key may know.
    pub async fn check_api_key(&self, key: &str) -> Result<ApiKey, AccountsError> {
        check_form(key)?;
        let unknown = AccountsError::BadApiKey("the API key is unknown or was revoked");
        let record = self
            .store
            .api_key_by_hash(&sha256_hex(key))
            .await?
            .ok_or(unknown)?;
        let now = now_unix_ms();
        if record.expires_unix_ms.is_some_and(|end| end <= now) {
            return Err(AccountsError::BadApiKey("the API key has expired"));
        }
        if self.key_uses.is_due(&record.id, now) {
            self.store.touch_api_key(&record.id, now).await?;
        }
        Ok(record)
    }
}

fn make(account: &AccountId, label: String, expires_unix_ms: Option<i64>) -> NewApiKey {
    let random = random_base62(RANDOM_CHARS);
    let key = format!("{KEY_PREFIX}{random}{}", checksum(&random));
    let record = ApiKey {
        id: ApiKeyId(random_id()),
        account: account.clone(),
        key_hash: sha256_hex(&key),
        prefix: key.chars().take(SHOWN_CHARS).collect(),
        label,
        created_unix_ms: now_unix_ms(),
        expires_unix_ms,
        last_used_unix_ms: None,
    };
    NewApiKey {
        record,
        key: key.into(),
    }
}

fn checksum(random: &str) -> String {
    base62(u64::from(crc32fast::hash(random.as_bytes())), CHECKSUM_CHARS)
}

fn check_form(key: &str) -> Result<(), AccountsError> {
    let Some(body) = key.strip_prefix(KEY_PREFIX) else {
        return Err(AccountsError::BadApiKey(
            "this is not an API key of Metric Flow: they begin with mf_",
        ));
    };
    let parts = body.split_at_checked(RANDOM_CHARS);
    match parts {
        Some((random, sum)) if sum == checksum(random) => Ok(()),
        _ => Err(AccountsError::BadApiKey(
            "the API key is mistyped or cut off: its checksum is wrong",
        )),
    }
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a test fails by panicking")]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn a_new_key_has_its_form_and_its_prefix() {
        let new = make(&AccountId("a".into()), "lab".into(), None);
        let key = new.key.expose_secret();
        check_form(key).expect("well formed");
        assert!(key.starts_with(&new.record.prefix));
        assert_eq!(new.record.prefix.len(), SHOWN_CHARS);
        assert_eq!(new.record.key_hash, sha256_hex(key));
    }

    #[test]
    fn a_mistyped_key_is_found_out_by_itself() {
        let new = make(&AccountId("a".into()), "lab".into(), None);
        let key = new.key.expose_secret();
        let swapped = if key.ends_with('0') { '1' } else { '0' };
        let mistyped = format!("{}{swapped}", &key[..key.len() - 1]);
        assert!(check_form(&mistyped).is_err());
        assert!(check_form(&key[..20]).is_err());
        assert!(check_form("mf_ü").is_err());
        assert!(check_form("sk-123").is_err());
    }
}
