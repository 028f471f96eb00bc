//! Which files belong to the project: all but what is built, installed or fetched.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

/// Folders with nothing of ours inside.
const SKIPPED: &[&str] = &[
    ".git",
    ".cache",
    ".vagrant",
    "__pycache__",
    "dist",
    "node_modules",
    "target",
    "test-results",
];

/// Every file of the project, relative to its root, in a fixed order.
pub(crate) fn walk(root: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let path = root.join(&folder);
        let entries = fs::read_dir(&path).with_context(|| format!("{} cannot be listed", path.display()))?;
        for entry in entries {
            let entry = entry.with_context(|| format!("{} cannot be listed", path.display()))?;
            let name = entry.file_name();
            let relative = folder.join(&name);
            let kind = entry
                .file_type()
                .with_context(|| format!("{} has no type", relative.display()))?;
            if kind.is_file() {
                files.push(relative);
            } else if kind.is_dir() && !SKIPPED.contains(&name.to_string_lossy().as_ref()) {
                folders.push(relative);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Whether a person wrote this file as Rust or TypeScript.
pub(super) fn is_source(path: &Path) -> bool {
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let ending = path.extension().and_then(|ending| ending.to_str());
    matches!(ending, Some("rs" | "ts" | "tsx")) && !name.contains(".generated.")
}
