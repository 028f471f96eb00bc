//! Accounts, sessions, API keys and hosts as documents.

use futures_util::TryStreamExt as _;
use mongodb::{
    Collection,
    bson::{Document, deserialize_from_document, doc},
};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    connect::{Collections, failed, is_duplicate, unreadable},
    documents::to_document,
};
use crate::store::{Account, AccountId, ApiKey, HostId, HostRecord, Session, StoreError};

impl Collections {
    pub(super) async fn create_account(&self, account: &Account, only_first: bool) -> Result<(), StoreError> {
        let mut document = with_id(account, &account.id.0)?;
        document.insert("name_lower", account.name.to_lowercase());
        if only_first {
            if self.users.find_one(doc! {}).await.map_err(failed)?.is_some() {
                return Err(StoreError::Conflict { what: "an account" });
            }
            // A unique index on this field lets one of several racers through.
            document.insert("first", true);
        }
        insert(&self.users, document, "an account of that name").await
    }

    pub(super) async fn set_password(&self, id: &AccountId, password_hash: &str) -> Result<(), StoreError> {
        let change = doc! { "$set": { "password_hash": password_hash } };
        let changed = self
            .users
            .update_one(doc! { "_id": &id.0 }, change)
            .await
            .map_err(failed)?;
        if changed.matched_count == 0 {
            return Err(StoreError::NotFound { what: "account" });
        }
        self.sessions
            .delete_many(doc! { "account": &id.0 })
            .await
            .map_err(failed)?;
        Ok(())
    }

    /// The next token is there before the old one is used, and goes again when the old one was not usable: a
    /// crash in between leaves a token that nobody knows.
    pub(super) async fn rotate_session(&self, old: &str, next: &Session) -> Result<bool, StoreError> {
        insert(&self.sessions, with_id(next, &next.token_hash)?, "a session").await?;
        let change = doc! { "$set": { "used": true } };
        let changed = self
            .sessions
            .update_one(doc! { "_id": old, "used": false }, change)
            .await
            .map_err(failed)?;
        if changed.matched_count == 1 {
            return Ok(true);
        }
        self.sessions
            .delete_one(doc! { "_id": &next.token_hash })
            .await
            .map_err(failed)?;
        Ok(false)
    }

    pub(super) async fn create_session(&self, session: &Session) -> Result<(), StoreError> {
        insert(
            &self.sessions,
            with_id(session, &session.token_hash)?,
            "a session",
        )
        .await
    }

    pub(super) async fn create_api_key(&self, key: &ApiKey) -> Result<(), StoreError> {
        insert(&self.api_keys, with_id(key, &key.id.0)?, "an API key of that id").await
    }

    pub(super) async fn put_host(&self, host: &HostRecord) -> Result<(), StoreError> {
        let document = with_id(host, &host.id.0)?;
        self.hosts
            .replace_one(doc! { "_id": &host.id.0 }, document)
            .upsert(true)
            .await
            .map_err(failed)?;
        Ok(())
    }

    pub(super) async fn delete_host(&self, account: &AccountId, id: &HostId) -> Result<(), StoreError> {
        let filter = doc! { "_id": &id.0, "account": &account.0 };
        let found = self.hosts.find_one(filter.clone()).await.map_err(failed)?;
        if found.is_none() {
            return Err(StoreError::NotFound { what: "host" });
        }
        for collection in self.of_hosts() {
            collection
                .delete_many(doc! { "host": &id.0 })
                .await
                .map_err(failed)?;
        }
        // The last, so that a deletion which failed halfway can be done again.
        self.hosts.delete_one(filter).await.map_err(failed)?;
        Ok(())
    }
}

fn with_id(record: &impl Serialize, id: &str) -> Result<Document, StoreError> {
    let mut document = to_document(record)?;
    document.insert("_id", id);
    Ok(document)
}

async fn insert(
    collection: &Collection<Document>,
    document: Document,
    what: &'static str,
) -> Result<(), StoreError> {
    match collection.insert_one(document).await {
        Ok(_) => Ok(()),
        Err(error) if is_duplicate(&error) => Err(StoreError::Conflict { what }),
        Err(error) => Err(failed(error)),
    }
}

pub(super) async fn find<T: DeserializeOwned>(
    collection: &Collection<Document>,
    filter: Document,
) -> Result<Option<T>, StoreError> {
    let found = collection.find_one(filter).await.map_err(failed)?;
    found
        .map(deserialize_from_document)
        .transpose()
        .map_err(unreadable)
}

pub(super) async fn list<T: DeserializeOwned>(
    collection: &Collection<Document>,
    filter: Document,
    sort: Document,
) -> Result<Vec<T>, StoreError> {
    let found = collection.find(filter).sort(sort).await.map_err(failed)?;
    let documents: Vec<Document> = found.try_collect().await.map_err(failed)?;
    documents
        .into_iter()
        .map(|document| deserialize_from_document(document).map_err(unreadable))
        .collect()
}
