//! The demonstration's folder: fresh each time, gone afterwards.

use std::{
    fs::{self, OpenOptions},
    io::{Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::workspace::Workspace;

/// A folder named after this process.
#[derive(Debug)]
pub(super) struct DemoFolder {
    root: PathBuf,
}

impl DemoFolder {
    /// Makes it, and removes those of demonstrations that are no longer running.
    pub(super) fn create(workspace: &Workspace) -> Result<Self> {
        let parent = workspace.cache("demo");
        remove_abandoned(&parent);
        let root = parent.join(std::process::id().to_string());
        fs::create_dir_all(&root).with_context(|| format!("{} cannot be made", root.display()))?;
        Ok(Self { root })
    }

    /// A place inside.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Writes a file that only this user can read.
    pub(super) fn secret(&self, name: &str, value: &str) -> Result<PathBuf> {
        let path = self.path(name);
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .and_then(|mut file| file.write_all(value.as_bytes()))
            .with_context(|| format!("{} cannot be written", path.display()))?;
        Ok(path)
    }

    /// What the programs have logged, each under its name.
    pub(super) fn logs(&self) -> Vec<u8> {
        let mut text = Vec::new();
        let mut entries: Vec<PathBuf> = fs::read_dir(&self.root)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .collect();
        entries.sort();
        for path in entries
            .iter()
            .filter(|path| path.extension().is_some_and(|ending| ending == "log"))
        {
            text.extend(format!("--- {}\n", path.display()).into_bytes());
            text.extend(fs::read(path).unwrap_or_default());
        }
        text
    }
}

impl Drop for DemoFolder {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the next demonstration.
        drop(fs::remove_dir_all(&self.root));
    }
}

/// Sixteen hexadecimal digits that nobody can guess.
pub(super) fn random_word() -> Result<String> {
    let mut bytes = [0_u8; 8];
    fs::File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut bytes))
        .context("/dev/urandom cannot be read")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn remove_abandoned(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let running = Path::new("/proc").join(entry.file_name()).exists();
        if !running {
            // Left for the next time when it cannot be removed.
            drop(fs::remove_dir_all(entry.path()));
        }
    }
}
