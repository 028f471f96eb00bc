//! A backup of an embedded store that this process has open and goes on writing to.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio_util::sync::CancellationToken;

use super::{
    backup::{Backup, FILES, FileSum, finish},
    backup_error::BackupError,
    copy::{NewFolder, copy_file, files, seal_file},
};
use crate::store::{TransferStore, embedded::is_of_engine};

/// Makes a backup of what an open store holds now: everything that was acknowledged before is in it. The tables are
/// copied from one snapshot into a store of their own, which is read again and compared; `folder` is the store's,
/// from which the files beside the tables come. Ends early on `ending`, and then leaves nothing behind.
///
/// # Errors
/// When the store is no folder or cannot be read, the copy cannot be written, or the target is there already.
pub async fn back_up_live(
    store: Arc<dyn TransferStore>,
    folder: PathBuf,
    target: PathBuf,
    ending: CancellationToken,
) -> Result<Backup, BackupError> {
    let work = tokio::task::spawn_blocking(move || copy(&*store, &folder, &target, &ending));
    work.await.unwrap_or_else(|error| {
        Err(BackupError::Ended {
            reason: error.to_string(),
        })
    })
}

fn copy(
    store: &dyn TransferStore,
    folder: &Path,
    target: &Path,
    ending: &CancellationToken,
) -> Result<Backup, BackupError> {
    let new = NewFolder::begin(target)?;
    let inside = new.path().join(FILES);
    let rows = store.duplicate(&inside, ending)?;
    for path in files(folder)? {
        // The copy has made its own of what says that it is a store.
        if !is_of_engine(&path) && !inside.join(&path).exists() {
            copy_file(&folder.join(&path), &inside.join(&path))?;
        }
    }
    let mut sums = Vec::new();
    for path in files(&inside)? {
        if ending.is_cancelled() {
            return Err(BackupError::Ended {
                reason: "nobody waits for it any more".to_owned(),
            });
        }
        let (bytes, sha256) = seal_file(&inside.join(&path))?;
        sums.push(FileSum { path, bytes, sha256 });
    }
    let backup = finish(new, sums)?;
    tracing::info!(rows, files = backup.files, bytes = backup.bytes, target = %target.display(), "backed up");
    Ok(backup)
}
