//! Sessions and the rotation of their tokens.

use std::sync::Arc;

use socket_server::store::Store;

use crate::fixture::{NOON, session};

pub(crate) async fn a_token_rotates_once_even_in_a_race(store: Arc<dyn Store>) {
    store
        .create_session(session("first", "family", "ada"))
        .await
        .expect("creates");
    let racers: Vec<_> = (0..8)
        .map(|racer| {
            let store = Arc::clone(&store);
            let next = session(&format!("next{racer}"), "family", "ada");
            tokio::spawn(async move { store.rotate_session("first", next).await.expect("rotates") })
        })
        .collect();
    let mut winners = Vec::new();
    for (number, racer) in racers.into_iter().enumerate() {
        if racer.await.expect("no racer panics") {
            winners.push(number);
        }
    }
    assert_eq!(winners.len(), 1, "winners: {winners:?}");
    let first = store.session("first").await.expect("reads").expect("is kept");
    assert!(first.used);
    for number in 0..8 {
        let next = store.session(&format!("next{number}")).await.expect("reads");
        assert_eq!(next.is_some(), winners.contains(&number), "next{number}");
    }
    let unknown = store.rotate_session("unknown", session("n", "f", "ada")).await;
    assert!(!unknown.expect("answers"));
}

pub(crate) async fn an_ended_family_cannot_rotate(store: Arc<dyn Store>) {
    store
        .create_session(session("a", "one", "ada"))
        .await
        .expect("creates");
    store
        .create_session(session("b", "two", "ada"))
        .await
        .expect("creates");
    store.end_session_family("one").await.expect("ends");
    assert_eq!(store.session("a").await.expect("reads"), None);
    assert!(
        !store
            .rotate_session("a", session("c", "one", "ada"))
            .await
            .expect("answers")
    );
    assert_eq!(store.session("c").await.expect("reads"), None);
    assert!(
        store
            .rotate_session("b", session("d", "two", "ada"))
            .await
            .expect("answers")
    );
}

pub(crate) async fn expired_sessions_are_removed(store: Arc<dyn Store>) {
    let mut old = session("old", "one", "ada");
    old.expires_unix_ms = NOON - 1;
    store.create_session(old).await.expect("creates");
    store
        .create_session(session("young", "two", "ada"))
        .await
        .expect("creates");
    store.remove_expired_sessions(NOON).await.expect("removes");
    assert_eq!(store.session("old").await.expect("reads"), None);
    assert!(store.session("young").await.expect("reads").is_some());
    assert_eq!(store.remove_expired_sessions(NOON).await.expect("removes"), 0);
}
