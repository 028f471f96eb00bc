//! Why a backup could not be made or restored.

use std::{
    io,
    path::{Path, PathBuf},
};

use thiserror::Error;

use super::backup::FORMAT;
use crate::store::{StoreError, embedded::OpenError};

/// Why a backup could not be made or restored.
#[derive(Debug, Error)]
pub enum BackupError {
    /// The store is not there, or something else holds it.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The open store cannot be read, or its copy cannot be written.
    #[error(transparent)]
    Copy(#[from] StoreError),
    /// The copy ended early.
    #[error("the backup ended before it was complete: {reason}")]
    Ended {
        /// Why.
        reason: String,
    },
    /// A file cannot be read or written.
    #[error("cannot {verb} {}: {cause}", path.display())]
    File {
        /// What was tried.
        verb: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        cause: io::Error,
    },
    /// Something is there already.
    #[error("{} exists already; give a folder that is not there yet, or remove it", path.display())]
    Exists {
        /// The folder.
        path: PathBuf,
    },
    /// The store has something in it that is neither file nor folder.
    #[error("{} is neither a file nor a folder; a store has no such thing: move it away", path.display())]
    Unusual {
        /// What was found.
        path: PathBuf,
    },
    /// The folder is something else.
    #[error("{} is no backup of Metric Flow; give a folder that `socket-server backup` has made", path.display())]
    NotABackup {
        /// The folder.
        path: PathBuf,
    },
    /// Another release made the backup.
    #[error("{} has format {found}, this release reads format {FORMAT}; restore it with the release that made it", path.display())]
    Version {
        /// The folder.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
    /// The backup is not what was written.
    #[error("{} is damaged ({reason}); nothing was restored: take another backup", path.display())]
    Damaged {
        /// The file or folder.
        path: PathBuf,
        /// What does not fit.
        reason: String,
    },
}

impl BackupError {
    pub(super) fn file(verb: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |cause| Self::File { verb, path, cause }
    }
}
