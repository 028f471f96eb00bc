//! Copying folders durably: beside their place first, and there only when they are whole.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use super::{backup_error::BackupError, checksum};

/// Only the owner may read a copy: it holds password hashes and the token secret.
const FILE_MODE: u32 = 0o600;
const FOLDER_MODE: u32 = 0o700;

/// A folder that comes into its place when it is whole, and goes when it does not become so.
pub(super) struct NewFolder {
    place: PathBuf,
    partial: PathBuf,
    is_in_place: bool,
}

impl NewFolder {
    /// Begins a folder that is not there yet, or is empty.
    pub(super) fn begin(place: &Path) -> Result<Self, BackupError> {
        let mut name = place.components().as_path().as_os_str().to_owned();
        name.push(".partial");
        let partial = PathBuf::from(name);
        for path in [place, &partial] {
            if !is_free(path).map_err(BackupError::file("read", path))? {
                return Err(BackupError::Exists {
                    path: path.to_owned(),
                });
            }
        }
        make_folders(&partial)?;
        Ok(Self {
            place: place.to_owned(),
            partial,
            is_in_place: false,
        })
    }

    /// Where its files go meanwhile.
    pub(super) fn path(&self) -> &Path {
        &self.partial
    }

    /// Puts it in its place.
    pub(super) fn finish(mut self) -> Result<(), BackupError> {
        sync_folders(&self.partial).map_err(BackupError::file("write", &self.partial))?;
        fs::rename(&self.partial, &self.place).map_err(BackupError::file("make", &self.place))?;
        self.is_in_place = true;
        let parent = self
            .place
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        sync(parent).map_err(BackupError::file("write", parent))
    }
}

impl Drop for NewFolder {
    fn drop(&mut self) {
        if !self.is_in_place
            && let Err(error) = fs::remove_dir_all(&self.partial)
        {
            tracing::warn!(folder = %self.partial.display(), %error, "remove what is left of a failed copy by hand");
        }
    }
}

/// Every file under a folder, as paths inside it, sorted. A socket is what a server left behind, and no part of a store.
pub(super) fn files(folder: &Path) -> Result<Vec<PathBuf>, BackupError> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(inside) = folders.pop() {
        let path = folder.join(&inside);
        for entry in fs::read_dir(&path).map_err(BackupError::file("read", &path))? {
            let entry = entry.map_err(BackupError::file("read", &path))?;
            let kind = entry
                .file_type()
                .map_err(BackupError::file("read", &entry.path()))?;
            let inside = inside.join(entry.file_name());
            if kind.is_dir() {
                folders.push(inside);
            } else if kind.is_file() {
                found.push(inside);
            } else if !kind.is_socket() {
                return Err(BackupError::Unusual { path: entry.path() });
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Copies a file durably; returns its bytes and their checksum.
pub(super) fn copy_file(from: &Path, to: &Path) -> Result<(u64, String), BackupError> {
    if let Some(parent) = to.parent() {
        make_folders(parent)?;
    }
    let mut source = File::open(from).map_err(BackupError::file("open", from))?;
    let mut target = new_file(to).map_err(BackupError::file("make", to))?;
    let copied = checksum::copy(&mut source, &mut target).map_err(BackupError::file("copy", from))?;
    target.sync_all().map_err(BackupError::file("write", to))?;
    Ok(copied)
}

/// A file's bytes and their checksum.
pub(super) fn sum_file(path: &Path) -> Result<(u64, String), BackupError> {
    let mut source = File::open(path).map_err(BackupError::file("open", path))?;
    checksum::copy(&mut source, &mut io::sink()).map_err(BackupError::file("read", path))
}

/// Makes a file durable, and readable by its owner only; returns its bytes and their checksum.
pub(super) fn seal_file(path: &Path) -> Result<(u64, String), BackupError> {
    let mut file = File::open(path).map_err(BackupError::file("open", path))?;
    file.set_permissions(fs::Permissions::from_mode(FILE_MODE))
        .and_then(|()| file.sync_all())
        .map_err(BackupError::file("write", path))?;
    checksum::copy(&mut file, &mut io::sink()).map_err(BackupError::file("read", path))
}

/// Makes a file that only its owner may read.
pub(super) fn new_file(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(FILE_MODE)
        .open(path)
}

fn make_folders(path: &Path) -> Result<(), BackupError> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(FOLDER_MODE)
        .create(path)
        .map_err(BackupError::file("make", path))
}

fn is_free(path: &Path) -> io::Result<bool> {
    match fs::read_dir(path) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => Ok(false),
        Err(error) => Err(error),
    }
}

fn sync_folders(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_folders(&entry.path())?;
        }
    }
    sync(folder)
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
