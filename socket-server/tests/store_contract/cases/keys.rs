//! API keys.

use std::sync::Arc;

use socket_server::store::{Store, StoreError};

use crate::fixture::{NOON, account, api_key};

pub(crate) async fn a_key_is_found_by_its_hash_until_revoked(store: Arc<dyn Store>) {
    store
        .create_api_key(api_key("one", "ada"))
        .await
        .expect("creates");
    let found = store.api_key_by_hash("hash-one").await.expect("reads");
    assert_eq!(found, Some(api_key("one", "ada")));
    assert_eq!(store.api_key_by_hash("hash-two").await.expect("reads"), None);
    let mut same = api_key("other", "ada");
    same.key_hash = "hash-one".to_owned();
    let refused = store.create_api_key(same).await;
    assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{refused:?}");
    let (owner, id) = (account("ada").id, api_key("one", "ada").id);
    store.revoke_api_key(&owner, &id).await.expect("revokes");
    assert_eq!(store.api_key_by_hash("hash-one").await.expect("reads"), None);
    let again = store.revoke_api_key(&owner, &id).await;
    assert!(matches!(again, Err(StoreError::NotFound { .. })), "{again:?}");
}

pub(crate) async fn a_key_cannot_be_revoked_by_another_account(store: Arc<dyn Store>) {
    store
        .create_api_key(api_key("one", "ada"))
        .await
        .expect("creates");
    let refused = store
        .revoke_api_key(&account("bob").id, &api_key("one", "ada").id)
        .await;
    assert!(matches!(refused, Err(StoreError::NotFound { .. })), "{refused:?}");
    assert!(store.api_key_by_hash("hash-one").await.expect("reads").is_some());
}

pub(crate) async fn keys_are_listed_oldest_first_for_their_account_only(store: Arc<dyn Store>) {
    for (name, owner, age) in [("a", "ada", 1), ("b", "ada", 3), ("c", "bob", 2), ("d", "ada", 2)] {
        let mut key = api_key(name, owner);
        key.created_unix_ms = NOON - age;
        store.create_api_key(key).await.expect("creates");
    }
    let keys = store.api_keys(&account("ada").id).await.expect("lists");
    let labels: Vec<&str> = keys.iter().map(|key| key.label.as_str()).collect();
    assert_eq!(labels, ["b", "d", "a"]);
}

pub(crate) async fn use_of_a_key_is_noted(store: Arc<dyn Store>) {
    store
        .create_api_key(api_key("one", "ada"))
        .await
        .expect("creates");
    let id = api_key("one", "ada").id;
    store.touch_api_key(&id, NOON + 5).await.expect("touches");
    let key = store
        .api_key_by_hash("hash-one")
        .await
        .expect("reads")
        .expect("exists");
    assert_eq!(key.last_used_unix_ms, Some(NOON + 5));
    store
        .touch_api_key(&api_key("unknown", "ada").id, NOON)
        .await
        .expect("is ignored");
}
