//! MongoDB with log-ins and TLS on, killed, cut off and made to fail.

use std::{sync::Arc, time::Duration};

use mongodb::bson::doc;
use socket_server::store::{
    EventStore as _, Resolution, Store, StoreError, mongodb::MongoStore, retention::Retention,
};

use crate::{
    fixture::{NOON, account, answer, batch, host},
    mongodb_server::{MongoServer, PASSWORD},
};

/// Tries of one append before the test gives up; with the pauses between them minutes.
const TRIES: usize = 300;

/// Appends as the fleet's writer does: again and again until the store has it. Returns how often it failed.
async fn append(store: &MongoStore, seqs: std::ops::Range<u64>) -> usize {
    for failures in 0..TRIES {
        match store.append(&[batch("one", seqs.clone())]).await {
            Ok(()) => return failures,
            Err(StoreError::Unavailable { .. }) => tokio::time::sleep(Duration::from_millis(200)).await,
            Err(other) => panic!("{other}"),
        }
    }
    panic!("{seqs:?} could not be stored");
}

/// Every sample is there, and none twice.
async fn holds_exactly(store: &MongoStore, count: u64) {
    let id = host("one", "ada").id;
    let settled = store.settled(&id, "epoch-1").await.expect("reads");
    assert_eq!(settled.iter().collect::<Vec<_>>(), [(0, count - 1)]);
    let series = ["load_one_minute".to_owned()];
    let window = (NOON, NOON + 3_600_000);
    let rows = store
        .history(&id, &series, Resolution::Second, window.0, window.1, 10_000)
        .await
        .expect("reads");
    assert_eq!(rows.len() as u64, count);
    let minutes = store
        .history(&id, &series, Resolution::Minute, window.0, window.1, 10_000)
        .await
        .expect("reads");
    assert_eq!(
        minutes.iter().map(|row| u64::from(row.samples)).sum::<u64>(),
        count
    );
}

#[tokio::test]
async fn log_ins_and_tls_are_spoken_and_wrong_credentials_are_refused_in_words() {
    let server = MongoServer::guarded().await;
    let store = server.store("secure").await;
    store.append(&[batch("one", 0..3)]).await.expect("appends");
    holds_exactly(&store, 3).await;

    let address = server.address_of("secure");
    let refusal = async |address: &str, password: Option<&str>| {
        let password = password.map(|password| password.to_owned().into());
        match MongoStore::connect(address, password, Retention::default()).await {
            Err(StoreError::Refused { reason }) => reason,
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("was let in"),
        }
    };
    let wrong = refusal(&address, Some("s3cr3t-guess")).await;
    assert!(wrong.contains("check the user, the password"), "{wrong}");
    assert!(!wrong.contains("s3cr3t"), "{wrong}");
    let nobody = address.replace("metric_flow@", "");
    let no_user = refusal(&nobody, Some(PASSWORD)).await;
    assert!(no_user.contains("names no user"), "{no_user}");
    refusal(&nobody, None).await;
    refusal("mongodb://", None).await;

    let untrusting = format!(
        "{}&serverSelectionTimeoutMS=2000",
        address.split("&tlsCAFile").next().expect("a part")
    );
    let strange = MongoStore::connect(
        &untrusting,
        Some(PASSWORD.to_owned().into()),
        Retention::default(),
    )
    .await;
    assert!(matches!(strange.err(), Some(StoreError::Unavailable { .. })));
}

#[tokio::test]
async fn a_killed_server_loses_and_doubles_nothing_and_is_found_again() {
    let mut server = MongoServer::guarded().await;
    let store = Arc::new(server.store("killed").await);
    append(&store, 0..200).await;
    let writer = tokio::spawn({
        let store = Arc::clone(&store);
        async move {
            for start in (200..1_000).step_by(50) {
                // Each batch begins within the one before it, as a replay does.
                append(&store, start - 20..start + 50).await;
            }
        }
    });
    while store
        .settled(&host("one", "ada").id, "epoch-1")
        .await
        .expect("reads")
        .iter()
        .all(|(_, last)| last < 400)
    {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    server.kill();
    assert!(matches!(store.check().await, Err(StoreError::Unavailable { .. })));
    server.start_again().await;
    writer.await.expect("writes to the end");
    store.check().await.expect("is ready again");
    holds_exactly(&store, 1_000).await;
}

#[tokio::test]
async fn commands_that_fail_and_connections_that_drop_are_survived() {
    let mut server = MongoServer::guarded().await;
    let store = server.store("failing").await;
    let mut next = 0;
    let mut failures = 0;
    for command in ["find", "insert", "update"] {
        for how in [
            doc! { "closeConnection": true },
            // NotWritablePrimary: the primary has stepped down.
            doc! { "errorCode": 10_107 },
            // ShutdownInProgress, then a write that no majority has confirmed.
            doc! { "errorCode": 91 },
            doc! { "writeConcernError": { "code": 64, "errmsg": "waiting for replication timed out" } },
        ] {
            if command == "find" && how.contains_key("writeConcernError") {
                continue;
            }
            server.fail_next(command, how).await;
            failures += append(&store, next..next + 10).await;
            next += 10;
        }
    }
    assert!(failures > 0, "no fail point had an effect");
    for _ in 0..3 {
        server.drop_connections();
        append(&store, next..next + 10).await;
        next += 10;
    }
    holds_exactly(&store, next).await;
}

/// What a command can meet: a connection that drops, a primary that stepped down.
fn faults() -> [mongodb::bson::Document; 2] {
    [doc! { "closeConnection": true }, doc! { "errorCode": 10_107 }]
}

/// Does something again and again until the store has done it. Returns how often it failed.
async fn until_done<F: Future<Output = Result<(), StoreError>>>(mut deed: impl FnMut() -> F) -> usize {
    for failures in 0..TRIES {
        match deed().await {
            Ok(()) => return failures,
            Err(StoreError::Unavailable { .. }) => tokio::time::sleep(Duration::from_millis(200)).await,
            Err(other) => panic!("{other}"),
        }
    }
    panic!("it was never done");
}

#[tokio::test]
async fn upkeep_that_fails_halfway_is_finished_by_the_next_and_changes_no_answer() {
    let server = MongoServer::guarded().await;
    let store = server.store("upkeep").await;
    append(&store, 0..600).await;
    let (mut next, mut failures) = (600, 0);
    for command in ["find", "update", "delete"] {
        for how in faults() {
            append(&store, next..next + 30).await;
            next += 30;
            server.fail_next(command, how).await;
            failures += until_done(|| store.maintain(NOON + 3_600_000)).await;
            holds_exactly(&store, next).await;
        }
    }
    assert!(failures > 0, "no fail point had an effect");
}

#[tokio::test]
async fn a_host_whose_deletion_fails_halfway_is_there_until_nothing_of_it_is_left() {
    let server = MongoServer::guarded().await;
    let store = server.store("deleting").await;
    let (ada, one) = (account("ada").id, host("one", "ada").id);
    let mut failures = 0;
    for how in faults() {
        store.put_host(host("one", "ada")).await.expect("puts");
        store.put_answer(answer("one", "os", NOON)).await.expect("puts");
        append(&store, 0..30).await;
        server.fail_next("delete", how).await;
        failures += until_done(|| store.delete_host(&ada, &one)).await;
        assert_eq!(store.hosts(&ada).await.expect("lists"), []);
        assert_eq!(store.answers(&one).await.expect("lists"), []);
        let settled = store.settled(&one, "epoch-1").await.expect("reads");
        assert_eq!(settled.iter().next(), None);
        let names = store.series_names(&one, NOON, NOON + 3_600_000).await;
        assert_eq!(names.expect("reads"), Vec::<String>::new());
    }
    assert!(failures > 0, "no fail point had an effect");
}
