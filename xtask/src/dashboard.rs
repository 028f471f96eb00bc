//! Whether the built dashboard is that of the sources as they are.

use std::{
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use anyhow::{Context, Result};

use crate::{tidy::sources, workspace::Workspace};

/// A number that changes with any file under web/.
pub(crate) fn fingerprint(workspace: &Workspace) -> Result<String> {
    let root = workspace.root.join("web");
    let mut hasher = DefaultHasher::new();
    for path in sources::walk(&root)? {
        let bytes =
            fs::read(root.join(&path)).with_context(|| format!("web/{} cannot be read", path.display()))?;
        path.hash(&mut hasher);
        bytes.hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

/// Whether web/dist was built from sources with this fingerprint.
pub(crate) fn is_built(workspace: &Workspace, fingerprint: &str) -> bool {
    workspace.has("web/dist/index.html")
        && fs::read_to_string(workspace.cache("dashboard.fingerprint"))
            .is_ok_and(|found| found == fingerprint)
}

/// Remembers what web/dist was built from.
pub(crate) fn remember(workspace: &Workspace, fingerprint: &str) -> Result<()> {
    let path = workspace.cache("dashboard.fingerprint");
    fs::create_dir_all(workspace.cache(""))
        .and_then(|()| fs::write(&path, fingerprint))
        .with_context(|| format!("{} cannot be written", path.display()))
}
