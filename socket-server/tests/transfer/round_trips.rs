//! What goes in comes out.

use std::{path::Path, time::Duration};

use socket_server::{
    store::{
        HistoryRow, Resolution, SampleBatch, Store, embedded::EmbeddedStore, memory::MemoryStore,
        retention::Retention,
    },
    transfer::{Section, TransferError, export, import, verify},
};

use crate::fixture::{NOON, SECONDS, batch, fill, host, host_id, whole};

async fn open(folder: &Path) -> EmbeddedStore {
    EmbeddedStore::open(folder, Retention::default())
        .await
        .expect("opens")
}

/// A store that keeps even what a clock that is years off has brought.
async fn open_for_ever(folder: &Path) -> EmbeddedStore {
    let century = Duration::from_secs(36_500 * 86_400);
    let retention = Retention {
        raw: century,
        minutes: century,
        hours: century,
        bytes_max: None,
    };
    EmbeddedStore::open(folder, retention).await.expect("opens")
}

#[tokio::test]
async fn everything_but_log_ins_survives_two_files_and_three_stores() {
    let folder = tempfile::tempdir().expect("makes a folder");
    let (first, second) = (folder.path().join("first"), folder.path().join("second"));
    let memory = MemoryStore::default();
    fill(&memory).await;
    let expected = whole(&memory).await;

    let exported = export(&memory, &first).await.expect("exports");
    assert_eq!(exported.in_file(Section::Accounts), 2);
    assert_eq!(exported.in_file(Section::Samples), 3 * (SECONDS - 10 + 3));
    assert_eq!(verify(&first).expect("is sound"), exported);

    let embedded = open_for_ever(&folder.path().join("store")).await;
    let imported = import(&embedded, &first).await.expect("imports");
    for moved in imported.sections {
        assert_eq!(moved.new, moved.in_file, "{:?}", moved.section);
    }
    assert_eq!(whole(&embedded).await, expected);
    // Packed samples go the same way.
    embedded.maintain(NOON + 3_600_000).await.expect("maintains");
    assert_eq!(whole(&embedded).await, expected);

    export(&embedded, &second).await.expect("exports");
    let again = MemoryStore::default();
    import(&again, &second).await.expect("imports");
    assert_eq!(whole(&again).await, expected);
    assert_eq!(again.session("token-ada").await.expect("reads"), None);
}

#[tokio::test]
async fn what_is_there_already_is_left_as_it_is() {
    let folder = tempfile::tempdir().expect("makes a folder");
    let file = folder.path().join("file");
    let memory = MemoryStore::default();
    fill(&memory).await;
    export(&memory, &file).await.expect("exports");
    let embedded = open(&folder.path().join("store")).await;
    import(&embedded, &file).await.expect("imports");
    let mut renamed = host("one", "ada");
    renamed.given_name = Some("renamed".to_owned());
    embedded.put_host(renamed).await.expect("puts");
    embedded
        .append(&[batch("one", "ada", [9_000])])
        .await
        .expect("appends");
    let before = whole(&embedded).await;
    let second = import(&embedded, &file).await.expect("imports again");
    for moved in second.sections {
        assert_eq!(moved.new, 0, "{:?}", moved.section);
    }
    assert_eq!(whole(&embedded).await, before);
}

#[tokio::test]
async fn an_import_that_was_cut_off_is_completed_by_the_next() {
    let folder = tempfile::tempdir().expect("makes a folder");
    let file = folder.path().join("file");
    let memory = MemoryStore::default();
    fill(&memory).await;
    export(&memory, &file).await.expect("exports");
    // As far as an import had come: one account, one host, some samples.
    let target = MemoryStore::default();
    let ada = memory
        .account_by_name("ada")
        .await
        .expect("reads")
        .expect("exists");
    target.create_account(ada, false).await.expect("creates");
    target.put_host(host("one", "ada")).await.expect("puts");
    target
        .append(&[batch("one", "ada", 1..40)])
        .await
        .expect("appends");
    let completed = import(&target, &file).await.expect("imports");
    assert_eq!(completed.added(Section::Accounts), 1);
    assert_eq!(
        completed.added(Section::Samples),
        completed.in_file(Section::Samples) - 39
    );
    assert_eq!(whole(&target).await, whole(&memory).await);
}

#[tokio::test]
async fn roll_ups_outlive_their_samples_in_a_move() {
    let folder = tempfile::tempdir().expect("makes a folder");
    let file = folder.path().join("file");
    let source = open(&folder.path().join("source")).await;
    fill(&source).await;
    let days_later = NOON + 4 * 86_400_000;
    source.maintain(days_later).await.expect("maintains");
    // Late ones, of which the minutes are not made again yet.
    let late = [batch("one", "ada", [55, 56, SECONDS + 1])];
    source.append(&late).await.expect("appends");
    export(&source, &file).await.expect("exports");
    let target = open(&folder.path().join("target")).await;
    let moved = import(&target, &file).await.expect("imports");
    assert!(moved.in_file(Section::Rollups) > 60, "{moved:?}");
    assert_eq!(moved.added(Section::Rollups), moved.in_file(Section::Rollups));
    let again = import(&target, &file).await.expect("imports again");
    assert_eq!(again.added(Section::Rollups), 0);
    // Sent again, they are known; new ones are added to what was moved, before and after maintenance.
    let new: [SampleBatch; 1] = [batch("one", "ada", [57])];
    for store in [&source, &target] {
        store.append(&late).await.expect("appends");
        store.append(&new).await.expect("appends");
    }
    for _ in 0..2 {
        for resolution in [Resolution::Minute, Resolution::Hour] {
            let expected = rows(&source, resolution).await;
            assert!(!expected.is_empty());
            assert_eq!(rows(&target, resolution).await, expected);
        }
        for store in [&source, &target] {
            store.maintain(days_later).await.expect("maintains");
        }
    }
}

async fn rows(store: &EmbeddedStore, resolution: Resolution) -> Vec<HistoryRow> {
    let series = ["load_one_minute".to_owned()];
    let id = host_id("one");
    let rows = store
        .history(
            &id,
            &series,
            resolution,
            NOON - 3_600_000,
            NOON + 7_200_000,
            10_000,
        )
        .await;
    rows.expect("reads")
}

#[tokio::test]
async fn a_store_with_hosts_of_its_own_is_not_filled() {
    let folder = tempfile::tempdir().expect("makes a folder");
    let file = folder.path().join("file");
    let memory = MemoryStore::default();
    fill(&memory).await;
    export(&memory, &file).await.expect("exports");
    let target = MemoryStore::default();
    target.put_host(host("stranger", "ada")).await.expect("puts");
    let refused = import(&target, &file).await;
    assert!(matches!(refused, Err(TransferError::InUse { .. })), "{refused:?}");
    assert_eq!(target.count_accounts().await.expect("counts"), 0);
}

#[tokio::test]
async fn an_export_replaces_no_file_and_fits_into_a_folder() {
    let folder = tempfile::tempdir().expect("makes a folder");
    let memory = MemoryStore::default();
    fill(&memory).await;
    export(&memory, folder.path()).await.expect("exports");
    let file = folder.path().join(socket_server::transfer::EXPORT_FILE);
    assert!(file.is_file());
    let refused = export(&memory, &file).await;
    assert!(
        matches!(refused, Err(TransferError::Exists { .. })),
        "{refused:?}"
    );
    import(&MemoryStore::default(), folder.path())
        .await
        .expect("imports");
}
