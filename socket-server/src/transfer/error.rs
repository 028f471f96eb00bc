//! Why an export or an import could not be done.

use std::{
    io,
    path::{Path, PathBuf},
};

use thiserror::Error;

use super::format::{VERSION, VERSION_OLDEST};
use crate::store::StoreError;

/// Why an export or an import could not be done.
#[derive(Debug, Error)]
pub enum TransferError {
    /// The store failed.
    #[error("{0}; run the same command again, it goes on where it ended")]
    Store(#[from] StoreError),
    /// The file cannot be read or written.
    #[error("cannot {verb} {}: {cause}", path.display())]
    File {
        /// What was tried.
        verb: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        cause: io::Error,
    },
    /// The export would replace a file.
    #[error("{} exists already; give another name, or remove it", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The file is something else.
    #[error("{} is no export of Metric Flow; give a file that `socket-server export` has written", path.display())]
    NotAnExport {
        /// The file.
        path: PathBuf,
    },
    /// Another release wrote the file.
    #[error("{} has format {found}, this release reads formats {VERSION_OLDEST} to {VERSION}; import it with the release that wrote it", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
    /// The file ends too early.
    #[error("{} is cut short in {place}; nothing of it was imported: copy it again or export again", path.display())]
    CutShort {
        /// The file.
        path: PathBuf,
        /// Where it ends.
        place: &'static str,
    },
    /// The file is not what was written.
    #[error("{} was altered since it was written ({reason}); nothing more of it is imported: copy it again or export again", path.display())]
    Altered {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        reason: String,
    },
    /// The store that is to be filled has things of its own.
    #[error("the store holds {what} that the export does not know; import into an empty store")]
    InUse {
        /// What was found, as a noun with its name.
        what: String,
    },
    /// Something is not in the store although it was written.
    #[error("after the import the store does not hold {what}; run the import again, and keep the export")]
    Incomplete {
        /// What is missing, as a noun with its name.
        what: String,
    },
}

impl TransferError {
    pub(super) fn file(verb: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |cause| Self::File { verb, path, cause }
    }
}
