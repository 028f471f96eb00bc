//! Where the host's own file trees are, seen from this process.

use std::path::{Path, PathBuf};

/// The root of the host's file system: `/` on the host itself, a mount such as `/host` inside a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostRoot {
    root: PathBuf,
}

impl HostRoot {
    /// The host's root as this process sees it.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Whether this process lives in the host's own file system.
    pub fn is_own(&self) -> bool {
        self.root == Path::new("/")
    }

    /// A path of the host as this process sees it; `path` may begin with a slash or not.
    pub fn join(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// A file below the host's `/proc`.
    pub fn proc(&self, path: &str) -> PathBuf {
        self.join("proc").join(path)
    }

    /// A file below the host's `/sys`.
    pub fn sys(&self, path: &str) -> PathBuf {
        self.join("sys").join(path)
    }

    /// A file below `/proc/<pid>` that depends on the namespaces of the one who looks.
    ///
    /// On the host itself that is this process; from inside a container it is the host's first process, because
    /// our own entry would show the container's network and mounts.
    pub fn proc_of_init(&self, path: &str) -> PathBuf {
        self.proc(if self.is_own() { "self" } else { "1" }).join(path)
    }
}

impl Default for HostRoot {
    fn default() -> Self {
        Self::new("/")
    }
}
