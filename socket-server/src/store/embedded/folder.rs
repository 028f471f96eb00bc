//! The store's folder: whether it is ours, and of which format.

use std::{fs, io, path::Path};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The format that this build writes. In format 2 a row of samples that are not packed yet can hold a run of them;
/// format 1, in which each had a row, is read as it is.
const FORMAT: u32 = 2;

/// File that says what the folder is.
const MARKER: &str = "metric-flow-store.json";

/// Its name while it is written.
const MARKER_UNFINISHED: &str = "metric-flow-store.unfinished";

/// The engine's folder inside.
pub(super) const DATA: &str = "data";

/// File in the engine's folder that the engine locks while the store is open.
const LOCK: &str = "lock";

/// File that is written now and then to find out whether the disk takes writes.
pub(super) const PROBE: &str = "probe";

/// What a new folder may hold: a file system's own folder, the server's secret, which can be there first, and what is
/// left of a start that was cut short.
const NOT_FOREIGN: [&str; 3] = ["lost+found", "token-secret", MARKER_UNFINISHED];

/// Why a store's folder cannot be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The folder cannot be made or read.
    #[error(
        "the store's folder {folder} cannot be used: {source}; check that it exists and who may write it"
    )]
    Folder {
        /// The folder.
        folder: String,
        /// What the system says.
        source: io::Error,
    },
    /// The folder holds something else.
    #[error("{folder} is not empty and is no Metric Flow store; give an empty folder or the right one")]
    Foreign {
        /// The folder.
        folder: String,
    },
    /// There is no store.
    #[error("there is no Metric Flow store in {folder}; give the folder that the server's --store names")]
    Missing {
        /// The folder.
        folder: String,
    },
    /// The marker cannot be read.
    #[error("{folder}/{MARKER} is damaged ({reason}); restore the folder from a backup")]
    Marker {
        /// The folder.
        folder: String,
        /// What is wrong.
        reason: String,
    },
    /// A newer release wrote the folder.
    #[error("{folder} has format {found}, this release knows up to {FORMAT}; start the newer release again")]
    Newer {
        /// The folder.
        folder: String,
        /// Its format.
        found: u32,
    },
    /// Another process has it open.
    #[error("{folder} is open in another process; stop that one first, since only one may write")]
    Locked {
        /// The folder.
        folder: String,
    },
    /// The engine cannot read the folder.
    #[error("the store in {folder} cannot be opened: {reason}; restore it from a backup")]
    Engine {
        /// The folder.
        folder: String,
        /// What the engine says.
        reason: String,
    },
}

#[derive(Serialize, Deserialize)]
struct Marker {
    format: u32,
}

/// Makes the folder, or checks that it is ours.
pub(super) fn prepare(folder: &Path) -> Result<(), OpenError> {
    let name = folder.display().to_string();
    let failed = |source| OpenError::Folder {
        folder: name.clone(),
        source,
    };
    fs::create_dir_all(folder).map_err(failed)?;
    let marker = folder.join(MARKER);
    match fs::read(&marker) {
        Ok(bytes) => {
            let marker: Marker = serde_json::from_slice(&bytes).map_err(|error| OpenError::Marker {
                folder: name.clone(),
                reason: error.to_string(),
            })?;
            if marker.format > FORMAT {
                return Err(OpenError::Newer {
                    folder: name,
                    found: marker.format,
                });
            }
            Ok(())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            for entry in fs::read_dir(folder).map_err(failed)? {
                let entry = entry.map_err(failed)?.file_name();
                if !NOT_FOREIGN.iter().any(|known| entry == *known) {
                    return Err(OpenError::Foreign { folder: name });
                }
            }
            write_marker(folder).map_err(failed)
        }
        Err(error) => Err(failed(error)),
    }
}

/// Holds a store's folder, so that no server opens it while its files are copied.
#[derive(Debug)]
pub struct FolderLock {
    _file: fs::File,
}

impl FolderLock {
    /// Takes hold of a store that is there; makes none.
    ///
    /// # Errors
    /// `Missing` when the folder holds no store, `Newer` when this release does not know its format, `Locked` when
    /// another process has it open.
    pub fn take(folder: &Path) -> Result<Self, OpenError> {
        require(folder)?;
        prepare(folder)?;
        let name = folder.display().to_string();
        let failed = |source| OpenError::Folder {
            folder: name.clone(),
            source,
        };
        let file = match fs::File::options()
            .read(true)
            .write(true)
            .open(folder.join(DATA).join(LOCK))
        {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(OpenError::Missing { folder: name });
            }
            Err(error) => return Err(failed(error)),
        };
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(fs::TryLockError::WouldBlock) => Err(OpenError::Locked { folder: name }),
            Err(fs::TryLockError::Error(source)) => Err(failed(source)),
        }
    }
}

/// Whether a file of a store's folder is the engine's own, or comes and goes. All others lie beside the tables for good.
pub fn is_of_engine(inside: &Path) -> bool {
    inside.starts_with(DATA)
        || [PROBE, MARKER_UNFINISHED]
            .iter()
            .any(|name| inside == Path::new(name))
}

/// Makes sure that a folder holds a store.
pub(super) fn require(folder: &Path) -> Result<(), OpenError> {
    if folder.join(MARKER).is_file() {
        return Ok(());
    }
    Err(OpenError::Missing {
        folder: folder.display().to_string(),
    })
}

/// Notes that rows of this build's format are written to the folder from now on.
pub(super) fn note_format(folder: &Path) -> Result<(), OpenError> {
    let failed = |source| OpenError::Folder {
        folder: folder.display().to_string(),
        source,
    };
    let known: Option<Marker> = serde_json::from_slice(&fs::read(folder.join(MARKER)).map_err(failed)?).ok();
    match known {
        Some(marker) if marker.format == FORMAT => Ok(()),
        _ => write_marker(folder).map_err(failed),
    }
}

/// Writes the marker before the engine writes anything. It is whole under its name, or as it was before.
fn write_marker(folder: &Path) -> io::Result<()> {
    let text = format!("{{\"format\":{FORMAT}}}\n");
    let unfinished = folder.join(MARKER_UNFINISHED);
    let mut file = fs::File::create(&unfinished)?;
    io::Write::write_all(&mut file, text.as_bytes())?;
    file.sync_all()?;
    fs::rename(unfinished, folder.join(MARKER))?;
    fs::File::open(folder)?.sync_all()
}

/// Words for an error of the engine at opening.
pub(super) fn engine_error(folder: &Path, error: &fjall::Error) -> OpenError {
    let folder = folder.display().to_string();
    match error {
        fjall::Error::Locked => OpenError::Locked { folder },
        other => OpenError::Engine {
            folder,
            reason: other.to_string(),
        },
    }
}
