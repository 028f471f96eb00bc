//! The tables while they are open, and the way back after the disk refused a write.
//!
//! The engine takes no write after one has failed, since it cannot know what reached the disk. Opening the files anew
//! settles that: the journal's torn end is cut off, and what was acknowledged before is in front of it.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use parking_lot::RwLock;

use super::{
    folder::{OpenError, PROBE},
    tables::Tables,
    view::View,
};
use crate::store::StoreError;

/// Bytes of the file that is written to find out whether the disk takes writes again: room for what the engine writes while it opens, and for some seconds of a large fleet.
const PROBE_BYTES: usize = 4 * 1024 * 1024;

/// The tables, for the writer and for everybody who reads.
pub(super) struct Opened {
    folder: PathBuf,
    /// `None` only after an attempt to open the files anew has failed.
    tables: RwLock<Option<Arc<Tables>>>,
    /// The writer waits for those who read, to open the files anew.
    is_awaited: AtomicBool,
}

impl Opened {
    /// Opens the folder, or makes it.
    pub(super) fn open(folder: PathBuf) -> Result<Self, OpenError> {
        let tables = Arc::new(Tables::open(&folder)?);
        Ok(Self {
            folder,
            tables: RwLock::new(Some(tables)),
            is_awaited: AtomicBool::new(false),
        })
    }

    /// The tables for the writer, which gives them back before it calls [`Self::reopen`].
    pub(super) fn tables(&self) -> Option<Arc<Tables>> {
        self.tables.read().clone()
    }

    /// Looks at the tables. Blocks while they are opened anew, and they are not opened anew while it runs.
    pub(super) fn read<T>(&self, job: impl FnOnce(&View) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let tables = self.tables.read();
        let Some(open) = tables.as_ref() else {
            return Err(StoreError::Unavailable {
                reason: format!(
                    "the files in {} cannot be opened again yet; free disk space or repair the disk",
                    self.folder.display()
                ),
            });
        };
        let view = View::new(open);
        let result = job(&view);
        drop(view);
        drop(tables);
        result
    }

    /// Whether a reader that takes long should end: nothing is read or written before it has.
    pub(super) fn is_awaited(&self) -> bool {
        self.is_awaited.load(Ordering::Relaxed)
    }

    /// Closes the files and opens them again, once the disk takes writes.
    ///
    /// # Errors
    /// What the disk or the engine says, in words for `/readyz`.
    pub(super) fn reopen(&self) -> Result<Arc<Tables>, String> {
        probe(&self.folder).map_err(|error| {
            format!(
                "the disk of {} takes no writes: {error}; free space on it or repair it, the server then goes on \
                 by itself",
                self.folder.display()
            )
        })?;
        self.is_awaited.store(true, Ordering::Relaxed);
        let mut slot = self.tables.write();
        self.is_awaited.store(false, Ordering::Relaxed);
        drop(slot.take());
        let tables = Arc::new(Tables::open(&self.folder).map_err(|error| error.to_string())?);
        *slot = Some(Arc::clone(&tables));
        Ok(tables)
    }
}

/// Writes a file to the disk and removes it.
fn probe(folder: &Path) -> io::Result<()> {
    let path = folder.join(PROBE);
    let written = fs::File::create(&path).and_then(|mut file| {
        file.write_all(&vec![0; PROBE_BYTES])?;
        file.sync_all()
    });
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => written.and(Err(error)),
        _ => written,
    }
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn the_probe_leaves_nothing_behind_and_says_what_the_disk_says() {
        let folder = tempfile::tempdir().expect("makes a folder");
        probe(folder.path()).expect("the disk takes it");
        assert_eq!(fs::read_dir(folder.path()).expect("reads").count(), 0);
        let missing = probe(&folder.path().join("missing")).expect_err("nowhere to write");
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn tables_that_are_opened_anew_hold_what_they_held() {
        let folder = tempfile::tempdir().expect("makes a folder");
        let opened = Opened::open(folder.path().to_owned()).expect("opens");
        let tables = opened.tables().expect("are open");
        tables.meta.insert("a", "1").expect("writes");
        drop(tables);
        let tables = opened.reopen().expect("opens again");
        assert_eq!(tables.meta.get("a").expect("reads").as_deref(), Some(&b"1"[..]));
        tables.meta.insert("a", "2").expect("writes again");
    }
}
