//! Backups of a store that goes on being written to.

use std::{fs, path::Path, sync::Arc};

use socket_server::{
    store::{
        MemoryStore, Store as _, StoreError, TransferStore as _, embedded::EmbeddedStore,
        retention::Retention,
    },
    transfer::{BackupError, back_up_live, restore},
};
use tokio_util::sync::CancellationToken;

use crate::fixture::{NOON, SECONDS, batch, fill, host_id, whole};

/// First number of the samples that are written while a backup is made.
const FIRST: u64 = SECONDS + 1_000;

async fn open(folder: &Path) -> Arc<EmbeddedStore> {
    let store = EmbeddedStore::open(folder, Retention::default());
    Arc::new(store.await.expect("opens"))
}

/// Writes samples one after the other until it is told to end; returns the number of the last.
async fn write_until(store: Arc<EmbeddedStore>, ending: CancellationToken) -> u64 {
    let mut seq = FIRST;
    loop {
        store
            .append(&[batch("one", "ada", [seq])])
            .await
            .expect("appends");
        if ending.is_cancelled() {
            return seq;
        }
        seq += 1;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_holds_all_that_was_acknowledged_before_it_and_writing_goes_on() {
    let folder = tempfile::tempdir().expect("makes a folder");
    let at = |name: &str| folder.path().join(name);
    let store = open(&at("store")).await;
    fs::write(at("store").join("token-secret"), "a secret").expect("writes");
    fill(&*store).await;
    // Some of it packed, some of it not.
    store.maintain(NOON + 800_000).await.expect("maintains");
    let filled = whole(&*store).await;

    let ending = CancellationToken::new();
    let writing = tokio::spawn(write_until(Arc::clone(&store), ending.clone()));
    let acknowledged = loop {
        let ranges = store.settled(&host_id("one"), "epoch-1").await.expect("reads");
        if let Some((FIRST, last)) = ranges.iter().last() {
            break last;
        }
    };
    let made = back_up_live(store.clone(), at("store"), at("backup"), CancellationToken::new()).await;
    let made = made.expect("backs up");
    ending.cancel();
    let last = writing.await.expect("goes on");
    let written = store.settled(&host_id("one"), "epoch-1").await.expect("reads");
    assert_eq!(written.iter().last(), Some((FIRST, last)));

    assert_eq!(restore(&at("backup"), &at("restored")).expect("restores"), made);
    let restored = open(&at("restored")).await;
    let settled = restored.settled(&host_id("one"), "epoch-1").await.expect("reads");
    let (first, kept) = settled.iter().last().expect("has samples");
    assert!(
        first == FIRST && (acknowledged..=last).contains(&kept),
        "{first} to {kept}, of {acknowledged} to {last}"
    );
    // What counts as settled is there, and what was there before as it was.
    let time = |seq: u64| NOON + i64::try_from(seq).expect("small") * 1_000;
    let new = restored
        .samples(&host_id("one"), time(FIRST), time(last + 1))
        .await;
    let new: Vec<u64> = new.expect("reads").iter().map(|one| one.sample.seq).collect();
    assert_eq!(new, (FIRST..=kept).collect::<Vec<_>>());
    assert!(restored.session("token-ada").await.expect("reads").is_some());
    let secret = fs::read_to_string(at("restored").join("token-secret")).expect("reads");
    assert_eq!(secret, "a secret");
    let after = whole(&*restored).await;
    assert_eq!(after.without_samples_from(FIRST), filled);
    restored
        .append(&[batch("one", "ada", [last + 1])])
        .await
        .expect("takes samples");
}

#[tokio::test]
async fn a_backup_that_is_ended_early_leaves_nothing_that_could_be_restored() {
    let folder = tempfile::tempdir().expect("makes a folder");
    let at = |name: &str| folder.path().join(name);
    let store = open(&at("store")).await;
    fill(&*store).await;
    let ended = CancellationToken::new();
    ended.cancel();
    let refused = back_up_live(store.clone(), at("store"), at("backup"), ended).await;
    let refused = refused.expect_err("is refused");
    assert!(
        matches!(refused, BackupError::Copy(StoreError::Unavailable { .. })),
        "{refused}"
    );
    assert!(!at("backup").exists() && !at("backup.partial").exists());
    // A server that is killed cannot clean up: what it leaves has no list of its files.
    store
        .duplicate(&at("backup.partial/files"), &CancellationToken::new())
        .expect("copies");
    let refused = restore(&at("backup.partial"), &at("restored")).expect_err("is refused");
    assert!(matches!(refused, BackupError::NotABackup { .. }), "{refused}");
    let refused = back_up_live(store.clone(), at("store"), at("backup"), CancellationToken::new()).await;
    let refused = refused.expect_err("is refused");
    assert!(matches!(refused, BackupError::Exists { .. }), "{refused}");
    store.check().await.expect("the store still works");
}

#[tokio::test]
async fn an_empty_store_can_be_backed_up_and_a_store_without_a_folder_cannot() {
    let folder = tempfile::tempdir().expect("makes a folder");
    let at = |name: &str| folder.path().join(name);
    let store = open(&at("store")).await;
    let whole_time = CancellationToken::new;
    back_up_live(store, at("store"), at("backup"), whole_time())
        .await
        .expect("backs up");
    restore(&at("backup"), &at("restored")).expect("restores");
    let restored = open(&at("restored")).await;
    assert_eq!(restored.count_accounts().await.expect("counts"), 0);
    let memory = Arc::new(MemoryStore::default());
    let refused = back_up_live(memory, at("store"), at("other"), whole_time()).await;
    let refused = refused.expect_err("is refused");
    assert!(refused.to_string().contains("export"), "{refused}");
    assert!(!at("other").exists());
}
