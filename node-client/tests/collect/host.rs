//! A host's file trees that a test may change.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use metric_flow_protocol::metrics::{Cpu, Sample};
use node_client::{collect::Sampler, host_root::HostRoot};
use tempfile::TempDir;

/// A copy of a recorded host.
pub(crate) struct Host {
    folder: TempDir,
}

impl Host {
    /// Copies the host that was recorded under this name.
    pub(crate) fn recorded(name: &str) -> Self {
        let folder = tempfile::tempdir().expect("temp folder");
        let recorded = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/trees")
            .join(name);
        copy(&recorded, folder.path());
        Self { folder }
    }

    /// A host without any file.
    pub(crate) fn empty() -> Self {
        Self {
            folder: tempfile::tempdir().expect("temp folder"),
        }
    }

    pub(crate) fn root(&self) -> HostRoot {
        HostRoot::new(self.folder.path())
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub(crate) fn sampler(&self) -> Sampler {
        Sampler::new(self.root())
    }

    /// Replaces a file's content, or makes the file.
    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        fs::write(path, content).expect("write");
        self
    }

    /// Replaces a part of a file.
    pub(crate) fn edit(&self, path: &str, from: &str, to: &str) -> &Self {
        let content = fs::read_to_string(self.path(path)).expect("read");
        assert!(content.contains(from), "{path} has no {from:?}");
        self.write(path, content.replace(from, to))
    }

    /// Takes a file or a folder away.
    pub(crate) fn remove(&self, path: &str) -> &Self {
        let path = self.path(path);
        if path.is_dir() {
            fs::remove_dir_all(path)
        } else {
            fs::remove_file(path)
        }
        .expect("remove");
        self
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("folder");
    for entry in fs::read_dir(from).expect("a recorded host") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).map(drop).expect("copy");
        }
    }
}

/// A time at which everything that is read now and then is due again.
pub(crate) fn later() -> Instant {
    Instant::now() + Duration::from_secs(3_600)
}

/// The processor readings of a sample that has them.
pub(crate) fn cpu(sample: &Sample) -> &Cpu {
    sample.cpu.as_ref().expect("processor readings")
}
