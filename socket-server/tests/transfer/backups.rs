//! A copy of an embedded store's folder, and back.

use std::{fs, path::Path};

use socket_server::{
    store::{
        Store,
        embedded::{EmbeddedStore, OpenError},
        retention::Retention,
    },
    transfer::{BackupError, back_up, restore},
};

use crate::fixture::{NOON, batch, fill, whole};

async fn open(folder: &Path) -> EmbeddedStore {
    EmbeddedStore::open(folder, Retention::default())
        .await
        .expect("opens")
}

#[tokio::test]
async fn a_backup_holds_everything_log_ins_and_secret_included() {
    let folder = tempfile::tempdir().expect("makes a folder");
    let at = |name: &str| folder.path().join(name);
    let store = open(&at("store")).await;
    fill(&store).await;
    store.maintain(NOON + 900_000).await.expect("maintains");
    fs::write(at("store").join("token-secret"), "a secret").expect("writes");
    let expected = whole(&store).await;
    drop(store);

    let made = back_up(&at("store"), &at("backup")).expect("backs up");
    assert!(made.files > 2, "{made:?}");
    // What happens later is not in it.
    let store = open(&at("store")).await;
    store
        .append(&[batch("one", "ada", [9_000])])
        .await
        .expect("appends");
    drop(store);
    assert_eq!(restore(&at("backup"), &at("restored")).expect("restores"), made);

    let restored = open(&at("restored")).await;
    assert_eq!(whole(&restored).await, expected);
    assert!(restored.session("token-ada").await.expect("reads").is_some());
    let secret = fs::read_to_string(at("restored").join("token-secret")).expect("reads");
    assert_eq!(secret, "a secret");
    restored
        .append(&[batch("one", "ada", [9_001])])
        .await
        .expect("appends");
}

#[tokio::test]
async fn a_store_that_a_server_holds_is_not_copied() {
    let folder = tempfile::tempdir().expect("makes a folder");
    let at = |name: &str| folder.path().join(name);
    let store = open(&at("store")).await;
    let refused = back_up(&at("store"), &at("backup")).expect_err("is refused");
    assert!(
        matches!(refused, BackupError::Store(OpenError::Locked { .. })),
        "{refused}"
    );
    assert!(refused.to_string().contains("stop"), "{refused}");
    assert!(!at("backup").exists());
    store.check().await.expect("the server's store still works");
}

#[tokio::test]
async fn a_damaged_backup_leaves_nothing_behind() {
    let folder = tempfile::tempdir().expect("makes a folder");
    let at = |name: &str| folder.path().join(name);
    let store = open(&at("store")).await;
    fill(&store).await;
    drop(store);
    back_up(&at("store"), &at("backup")).expect("backs up");
    let marker = at("backup").join("files/metric-flow-store.json");
    let manifest = at("backup").join("metric-flow-backup.json");
    for (path, altered) in [(&marker, "{\"format\":9}\n"), (&marker, ""), (&manifest, "{}")] {
        let whole = fs::read(path).expect("reads");
        fs::write(path, altered).expect("alters");
        let refused = restore(&at("backup"), &at("restored")).expect_err("is refused");
        assert!(matches!(refused, BackupError::Damaged { .. }), "{refused}");
        assert!(!at("restored").exists());
        fs::write(path, whole).expect("puts it back");
    }
    let text = fs::read_to_string(&manifest).expect("reads");
    let other = text.replace("\"format\": 1", "\"format\": 7");
    fs::write(&manifest, other).expect("alters");
    let refused = restore(&at("backup"), &at("restored")).expect_err("is refused");
    assert!(
        matches!(refused, BackupError::Version { found: 7, .. }),
        "{refused}"
    );
    fs::write(&manifest, text).expect("puts it back");
    restore(&at("backup"), &at("restored")).expect("restores");
}

#[tokio::test]
async fn nothing_that_is_there_is_replaced_and_nothing_is_made_up() {
    let folder = tempfile::tempdir().expect("makes a folder");
    let at = |name: &str| folder.path().join(name);
    let missing = back_up(&at("store"), &at("backup")).expect_err("is refused");
    assert!(
        matches!(missing, BackupError::Store(OpenError::Missing { .. })),
        "{missing}"
    );
    drop(open(&at("store")).await);
    back_up(&at("store"), &at("backup")).expect("backs up");
    let refused = back_up(&at("store"), &at("backup")).expect_err("is refused");
    assert!(matches!(refused, BackupError::Exists { .. }), "{refused}");
    let refused = restore(&at("backup"), &at("store")).expect_err("is refused");
    assert!(matches!(refused, BackupError::Exists { .. }), "{refused}");
    let refused = restore(&at("store"), &at("restored")).expect_err("is refused");
    assert!(matches!(refused, BackupError::NotABackup { .. }), "{refused}");
}
