//! Hosts.

use std::sync::Arc;

use socket_server::store::{Resolution, Store, StoreError};

use crate::fixture::{NOON, account, batch, host};

pub(crate) async fn a_host_is_seen_by_its_account_only(store: Arc<dyn Store>) {
    store.put_host(host("one", "ada")).await.expect("puts");
    store.put_host(host("two", "bob")).await.expect("puts");
    assert_eq!(
        store.hosts(&account("ada").id).await.expect("lists"),
        [host("one", "ada")]
    );
    assert_eq!(store.all_hosts().await.expect("lists").len(), 2);
    let own = store
        .host(&account("ada").id, &host("one", "ada").id)
        .await
        .expect("reads");
    assert_eq!(own, Some(host("one", "ada")));
    let foreign = store
        .host(&account("ada").id, &host("two", "bob").id)
        .await
        .expect("reads");
    assert_eq!(foreign, None);
}

pub(crate) async fn a_host_is_replaced_whole(store: Arc<dyn Store>) {
    store.put_host(host("one", "ada")).await.expect("puts");
    let mut changed = host("one", "ada");
    changed.given_name = None;
    changed.given_labels.clear();
    changed.epoch = "epoch-2".to_owned();
    changed.cloned_identity = true;
    store.put_host(changed.clone()).await.expect("puts");
    assert_eq!(store.hosts(&account("ada").id).await.expect("lists"), [changed]);
}

pub(crate) async fn a_deleted_host_takes_its_samples_along(store: Arc<dyn Store>) {
    let (owner, gone, stays) = (account("ada").id, host("gone", "ada"), host("gone2", "ada"));
    for record in [&gone, &stays] {
        store.put_host(record.clone()).await.expect("puts");
    }
    store
        .append(&[batch("gone", 1..=5), batch("gone2", 1..=5)])
        .await
        .expect("appends");
    store.delete_host(&owner, &gone.id).await.expect("deletes");
    assert_eq!(store.host(&owner, &gone.id).await.expect("reads"), None);
    let series = ["load_one_minute".to_owned()];
    for (id, rows) in [(&gone.id, 0), (&stays.id, 5)] {
        let past = store
            .history(id, &series, Resolution::Second, NOON, NOON + 60_000, 100)
            .await;
        assert_eq!(past.expect("reads").len(), rows, "{id}");
    }
    let settled = store.settled(&gone.id, "epoch-1").await.expect("reads");
    assert_eq!(settled.iter().count(), 0);
    let again = store.delete_host(&owner, &gone.id).await;
    assert!(matches!(again, Err(StoreError::NotFound { .. })), "{again:?}");
    // The same host may come back and starts from nothing.
    store.put_host(gone.clone()).await.expect("puts");
    store.append(&[batch("gone", 1..=3)]).await.expect("appends");
    let past = store
        .history(&gone.id, &series, Resolution::Second, NOON, NOON + 60_000, 100)
        .await;
    assert_eq!(past.expect("reads").len(), 3);
}

pub(crate) async fn a_host_cannot_be_deleted_by_another_account(store: Arc<dyn Store>) {
    store.put_host(host("one", "ada")).await.expect("puts");
    let refused = store
        .delete_host(&account("bob").id, &host("one", "ada").id)
        .await;
    assert!(matches!(refused, Err(StoreError::NotFound { .. })), "{refused:?}");
    assert_eq!(store.hosts(&account("ada").id).await.expect("lists").len(), 1);
    store.check().await.expect("works");
}
