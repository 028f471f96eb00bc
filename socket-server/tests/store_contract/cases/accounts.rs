//! Accounts.

use std::sync::Arc;

use socket_server::store::{Store, StoreError};

use crate::fixture::{account, session};

pub(crate) async fn an_account_is_found_by_id_and_by_name_in_any_case(store: Arc<dyn Store>) {
    assert_eq!(store.count_accounts().await.expect("counts"), 0);
    store
        .create_account(account("Ada"), false)
        .await
        .expect("creates");
    let found = store.account(&account("Ada").id).await.expect("reads");
    assert_eq!(found, Some(account("Ada")));
    let found = store.account_by_name("aDA").await.expect("reads");
    assert_eq!(found, Some(account("Ada")));
    assert_eq!(store.account_by_name("bob").await.expect("reads"), None);
    assert_eq!(store.account(&account("bob").id).await.expect("reads"), None);
    assert_eq!(store.count_accounts().await.expect("counts"), 1);
}

pub(crate) async fn a_name_is_taken_once(store: Arc<dyn Store>) {
    store
        .create_account(account("ada"), false)
        .await
        .expect("creates");
    let mut same = account("ADA");
    same.id.0 = "another".to_owned();
    let refused = store.create_account(same, false).await;
    assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{refused:?}");
    store
        .create_account(account("bob"), false)
        .await
        .expect("creates");
    assert_eq!(store.count_accounts().await.expect("counts"), 2);
}

pub(crate) async fn only_one_first_account_wins_a_race(store: Arc<dyn Store>) {
    let racers: Vec<_> = (0..8)
        .map(|racer| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                store
                    .create_account(account(&format!("racer{racer}")), true)
                    .await
            })
        })
        .collect();
    let mut winners = 0;
    for racer in racers {
        match racer.await.expect("no racer panics") {
            Ok(()) => winners += 1,
            Err(error) => assert!(matches!(error, StoreError::Conflict { .. }), "{error:?}"),
        }
    }
    assert_eq!(winners, 1);
    assert_eq!(store.count_accounts().await.expect("counts"), 1);
}

pub(crate) async fn a_new_password_ends_all_sessions_of_its_account_only(store: Arc<dyn Store>) {
    for name in ["ada", "bob"] {
        store.create_account(account(name), false).await.expect("creates");
        store
            .create_session(session(name, name, name))
            .await
            .expect("creates");
    }
    store.set_password(&account("ada").id, "new").await.expect("sets");
    let ada = store
        .account(&account("ada").id)
        .await
        .expect("reads")
        .expect("exists");
    assert_eq!(ada.password_hash, "new");
    assert_eq!(store.session("ada").await.expect("reads"), None);
    assert!(store.session("bob").await.expect("reads").is_some());
    let unknown = store.set_password(&account("eve").id, "new").await;
    assert!(matches!(unknown, Err(StoreError::NotFound { .. })), "{unknown:?}");
}
