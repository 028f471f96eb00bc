//! A copy of an embedded store's folder, and back.

use std::{
    fmt,
    io::Write as _,
    path::{Component, Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{
    backup_error::BackupError,
    checksum::hex,
    copy::{NewFolder, copy_file, files, new_file, sum_file},
};
use crate::store::embedded::FolderLock;

/// The format that this release writes and reads.
pub(super) const FORMAT: u32 = 1;

/// File that says what a backup holds; written last.
const MANIFEST: &str = "metric-flow-backup.json";

/// Folder of a backup that the files lie in.
pub(super) const FILES: &str = "files";

/// What was copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backup {
    /// How many files.
    pub files: u64,
    /// Their bytes in all.
    pub bytes: u64,
}

impl fmt::Display for Backup {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} files, {} bytes", self.files, self.bytes)
    }
}

#[derive(Serialize, Deserialize)]
struct Manifest {
    format: u32,
    files: Vec<FileSum>,
    /// Checksum of the list itself.
    sha256: String,
}

/// What a file of a backup is to be.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct FileSum {
    pub(super) path: PathBuf,
    pub(super) bytes: u64,
    pub(super) sha256: String,
}

/// Copies the folder of a store that nobody has open, log-ins and token secret included. The store is held meanwhile, so that no server
/// opens it.
///
/// # Errors
/// When a server has the store open, there is none, or the target is there already.
pub fn back_up(store: &Path, target: &Path) -> Result<Backup, BackupError> {
    let _held = FolderLock::take(store)?;
    let folder = NewFolder::begin(target)?;
    let mut sums = Vec::new();
    for path in files(store)? {
        let (bytes, sha256) = copy_file(&store.join(&path), &folder.path().join(FILES).join(&path))?;
        sums.push(FileSum { path, bytes, sha256 });
    }
    finish(folder, sums)
}

/// Says what a backup holds and puts it in its place.
pub(super) fn finish(folder: NewFolder, sums: Vec<FileSum>) -> Result<Backup, BackupError> {
    let backup = totals(&sums);
    write_manifest(folder.path(), sums)?;
    folder.finish()?;
    Ok(backup)
}

/// Puts a backup into a new folder, once every file of it has proved to be as it was written.
///
/// # Errors
/// When the backup is damaged or something else, or the folder is there already.
pub fn restore(backup: &Path, store: &Path) -> Result<Backup, BackupError> {
    let sums = read_manifest(backup)?;
    let source = backup.join(FILES);
    for sum in &sums {
        let path = source.join(&sum.path);
        compare(&path, sum, sum_file(&path)?)?;
    }
    let folder = NewFolder::begin(store)?;
    for sum in &sums {
        let path = source.join(&sum.path);
        compare(&path, sum, copy_file(&path, &folder.path().join(&sum.path))?)?;
    }
    folder.finish()?;
    Ok(totals(&sums))
}

fn totals(sums: &[FileSum]) -> Backup {
    Backup {
        files: sums.len() as u64,
        bytes: sums.iter().map(|sum| sum.bytes).sum(),
    }
}

fn compare(path: &Path, sum: &FileSum, found: (u64, String)) -> Result<(), BackupError> {
    let reason = if found.0 != sum.bytes {
        format!("it has {} bytes instead of {}", found.0, sum.bytes)
    } else if found.1 != sum.sha256 {
        "its checksum is wrong".to_owned()
    } else {
        return Ok(());
    };
    Err(BackupError::Damaged {
        path: path.to_owned(),
        reason,
    })
}

fn write_manifest(folder: &Path, files: Vec<FileSum>) -> Result<(), BackupError> {
    let path = folder.join(MANIFEST);
    let failed = |cause| BackupError::file("write", &path)(cause);
    let sha256 = sum_of(&files).map_err(|error| failed(error.into()))?;
    let manifest = Manifest {
        format: FORMAT,
        files,
        sha256,
    };
    let text = serde_json::to_vec_pretty(&manifest).map_err(|error| failed(error.into()))?;
    let mut file = new_file(&path).map_err(failed)?;
    file.write_all(&text).map_err(failed)?;
    file.sync_all().map_err(failed)
}

fn read_manifest(backup: &Path) -> Result<Vec<FileSum>, BackupError> {
    let path = backup.join(MANIFEST);
    let damaged = |reason: String| BackupError::Damaged {
        path: path.clone(),
        reason,
    };
    let text = match std::fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(BackupError::NotABackup {
                path: backup.to_owned(),
            });
        }
        Err(cause) => return Err(BackupError::file("read", &path)(cause)),
    };
    let manifest: Manifest = serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?;
    if manifest.format != FORMAT {
        return Err(BackupError::Version {
            path: backup.to_owned(),
            found: manifest.format,
        });
    }
    let sum = sum_of(&manifest.files).map_err(|error| damaged(error.to_string()))?;
    if sum != manifest.sha256 {
        return Err(damaged("its list of files was altered".to_owned()));
    }
    for file in &manifest.files {
        // A name that leads out of the folder would write somewhere else.
        if !file
            .path
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
        {
            return Err(damaged(format!(
                "it names {}, which is outside",
                file.path.display()
            )));
        }
    }
    Ok(manifest.files)
}

fn sum_of(files: &[FileSum]) -> Result<String, serde_json::Error> {
    let mut sum = Sha256::new();
    sum.update(serde_json::to_vec(files)?);
    Ok(hex(sum))
}
