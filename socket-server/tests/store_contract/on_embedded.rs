//! The contract on the embedded store, and what is true of a store in a folder only.

use std::sync::Arc;

use socket_server::store::{
    Resolution, Store,
    embedded::{EmbeddedStore, OpenError},
    retention::Retention,
};

use crate::{
    cases,
    fixture::{NOON, account, batch, host},
};

async fn open(folder: &std::path::Path) -> EmbeddedStore {
    EmbeddedStore::open(folder, Retention::default())
        .await
        .expect("opens")
}

#[tokio::test]
async fn the_embedded_store_keeps_the_contract() {
    for (name, case) in cases::all() {
        cases::say(name);
        let folder = tempfile::tempdir().expect("makes a folder");
        case(Arc::new(open(folder.path()).await)).await;
    }
    for (name, case) in cases::moves_with_rollups() {
        cases::say(name);
        let folder = tempfile::tempdir().expect("makes a folder");
        case(Arc::new(open(folder.path()).await)).await;
    }
}

#[tokio::test]
async fn what_was_written_is_there_after_reopening() {
    let folder = tempfile::tempdir().expect("makes a folder");
    let store = open(folder.path()).await;
    store.create_account(account("ada"), true).await.expect("creates");
    store.put_host(host("one", "ada")).await.expect("puts");
    store.append(&[batch("one", 0..700)]).await.expect("appends");
    store.maintain(NOON + 660_000).await.expect("maintains");
    drop(store);
    let store = open(folder.path()).await;
    assert_eq!(store.count_accounts().await.expect("counts"), 1);
    let id = host("one", "ada").id;
    let settled = store.settled(&id, "epoch-1").await.expect("reads");
    assert_eq!(settled.iter().collect::<Vec<_>>(), [(0, 699)]);
    let series = ["load_one_minute".to_owned()];
    let rows = store
        .history(&id, &series, Resolution::Second, NOON, NOON + 3_600_000, 10_000)
        .await;
    assert_eq!(rows.expect("reads").len(), 700);
}

#[tokio::test]
async fn only_one_may_open_a_folder() {
    let folder = tempfile::tempdir().expect("makes a folder");
    let store = open(folder.path()).await;
    let second = EmbeddedStore::open(folder.path(), Retention::default()).await;
    assert!(matches!(second.err(), Some(OpenError::Locked { .. })));
    store.check().await.expect("the first still works");
}

#[tokio::test]
async fn a_foreign_folder_and_a_newer_format_are_refused() {
    let folder = tempfile::tempdir().expect("makes a folder");
    std::fs::write(folder.path().join("letter.txt"), "dear").expect("writes");
    let foreign = EmbeddedStore::open(folder.path(), Retention::default()).await;
    assert!(matches!(foreign.err(), Some(OpenError::Foreign { .. })));
    let marker = folder.path().join("metric-flow-store.json");
    std::fs::write(&marker, "{\"format\":99}").expect("writes");
    let newer = EmbeddedStore::open(folder.path(), Retention::default()).await;
    assert!(matches!(newer.err(), Some(OpenError::Newer { found: 99, .. })));
    std::fs::write(&marker, "{").expect("writes");
    let damaged = EmbeddedStore::open(folder.path(), Retention::default()).await;
    assert!(matches!(damaged.err(), Some(OpenError::Marker { .. })));
}

/// In format 1 each sample that was not packed yet had a row, as one that comes by itself has now.
#[tokio::test]
async fn a_store_of_format_1_is_read_and_written_to() {
    let folder = tempfile::tempdir().expect("makes a folder");
    let marker = folder.path().join("metric-flow-store.json");
    let store = open(folder.path()).await;
    for seq in 0..700 {
        store.append(&[batch("one", [seq])]).await.expect("appends");
    }
    drop(store);
    std::fs::write(&marker, "{\"format\":1}\n").expect("writes");
    let store = open(folder.path()).await;
    let noted = std::fs::read_to_string(&marker).expect("reads");
    assert_eq!(
        noted, "{\"format\":2}\n",
        "a release that reads no runs must refuse it"
    );
    store.append(&[batch("one", 600..900)]).await.expect("appends");
    let id = host("one", "ada").id;
    let series = ["load_one_minute".to_owned()];
    let rows = || store.history(&id, &series, Resolution::Second, NOON, NOON + 3_600_000, 10_000);
    let unpacked = rows().await.expect("reads");
    assert_eq!(unpacked.len(), 900);
    store.maintain(NOON + 3_600_000).await.expect("packs");
    assert_eq!(rows().await.expect("reads"), unpacked);
}

#[tokio::test]
async fn samples_past_retention_live_on_as_roll_ups_and_late_ones_add_to_them() {
    let folder = tempfile::tempdir().expect("makes a folder");
    let store = open(folder.path()).await;
    store.append(&[batch("one", 0..120)]).await.expect("appends");
    let days_later = NOON + 4 * 86_400_000;
    store.maintain(days_later).await.expect("maintains");
    store.maintain(days_later).await.expect("maintains");
    let id = host("one", "ada").id;
    let series = ["load_one_minute".to_owned()];
    let read = |resolution| store.history(&id, &series, resolution, NOON, NOON + 3_600_000, 10_000);
    assert_eq!(read(Resolution::Second).await.expect("reads"), []);
    assert!(store.kept_from(Resolution::Second).await.expect("reads") > NOON);
    store.append(&[batch("one", 100..180)]).await.expect("appends");
    for _ in 0..2 {
        let minutes = read(Resolution::Minute).await.expect("reads");
        assert_eq!(
            minutes.iter().map(|row| row.samples).collect::<Vec<_>>(),
            [60, 60, 60]
        );
        let hours = read(Resolution::Hour).await.expect("reads");
        assert_eq!(hours.iter().map(|row| row.samples).collect::<Vec<_>>(), [180]);
        assert_eq!(hours[0].values[0].expect("has a load").max, 179.0);
        store.maintain(days_later).await.expect("maintains");
    }
}
