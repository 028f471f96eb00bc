//! A file that is not whole and unaltered is refused before anything is taken from it.

use std::{fs, path::Path};

use socket_server::{
    store::{Store, memory::MemoryStore},
    transfer::{TransferError, export, import, verify},
};

use crate::fixture::{batch, fill, host};

/// A small export: every byte of it is tried.
async fn small_export(file: &Path) -> Vec<u8> {
    let memory = MemoryStore::default();
    memory.put_host(host("one", "ada")).await.expect("puts");
    memory
        .append(&[batch("one", "ada", 1..4)])
        .await
        .expect("appends");
    export(&memory, file).await.expect("exports");
    fs::read(file).expect("reads")
}

async fn is_refused(file: &Path) -> TransferError {
    let target = MemoryStore::default();
    let refused = import(&target, file).await.expect_err("is refused");
    assert!(target.all_hosts().await.expect("lists").is_empty());
    assert_eq!(target.count_accounts().await.expect("counts"), 0);
    refused
}

#[tokio::test]
async fn a_file_that_is_cut_short_anywhere_is_refused() {
    let folder = tempfile::tempdir().expect("makes a folder");
    let file = folder.path().join("file");
    let whole = small_export(&file).await;
    for length in 0..whole.len() {
        fs::write(&file, &whole[..length]).expect("writes");
        let refused = verify(&file).expect_err("is refused");
        assert!(
            matches!(refused, TransferError::CutShort { .. }),
            "{length}: {refused}"
        );
    }
    is_refused(&file).await;
    let mut longer = whole.clone();
    longer.push(0);
    fs::write(&file, longer).expect("writes");
    assert!(matches!(is_refused(&file).await, TransferError::Altered { .. }));
}

#[tokio::test]
async fn an_altered_byte_anywhere_is_noticed() {
    let folder = tempfile::tempdir().expect("makes a folder");
    let file = folder.path().join("file");
    let whole = small_export(&file).await;
    for at in 0..whole.len() {
        let mut altered = whole.clone();
        altered[at] ^= 0x20;
        fs::write(&file, altered).expect("writes");
        assert!(verify(&file).is_err(), "byte {at}");
    }
    is_refused(&file).await;
}

#[tokio::test]
async fn an_altered_sample_is_named_as_such() {
    let folder = tempfile::tempdir().expect("makes a folder");
    let file = folder.path().join("file");
    let memory = MemoryStore::default();
    fill(&memory).await;
    export(&memory, &file).await.expect("exports");
    let mut bytes = fs::read(&file).expect("reads");
    let device = b"/dev/vda1";
    let at = bytes
        .windows(device.len())
        .position(|window| window == device)
        .expect("has a device");
    bytes[at] = b'X';
    fs::write(&file, bytes).expect("writes");
    let refused = is_refused(&file).await;
    assert!(
        refused.to_string().contains("checksum of the samples"),
        "{refused}"
    );
}

#[tokio::test]
async fn another_version_and_another_kind_of_file_are_refused_in_words() {
    let folder = tempfile::tempdir().expect("makes a folder");
    let file = folder.path().join("file");
    let mut bytes = small_export(&file).await;
    bytes[8] = 99;
    fs::write(&file, bytes).expect("writes");
    let refused = is_refused(&file).await;
    assert!(
        matches!(refused, TransferError::Version { found: 99, .. }),
        "{refused}"
    );
    fs::write(&file, "dear reader, this is a letter").expect("writes");
    let refused = is_refused(&file).await;
    assert!(matches!(refused, TransferError::NotAnExport { .. }), "{refused}");
}
