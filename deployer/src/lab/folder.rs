//! The lab's folder: its keys, hosts.toml and settings. `down` removes what is named here, and nothing else.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use tokio::process::Command;

use super::{error::LabError, names::LabName};

const IDENTITY: &str = "id_ed25519";
const IDENTITY_PUBLIC: &str = "id_ed25519.pub";
const INVENTORY: &str = "hosts.toml";
const KNOWN_HOSTS: &str = "known_hosts";
const SETTINGS: &str = "containers.conf";
const HOST_KEYS: &str = "host_keys";
/// Where labs live when nothing else is said: a folder in the project that git ignores.
const PARENT: &str = ".lab";

/// A lab's folder. It need not exist yet.
#[derive(Debug, Clone)]
pub(super) struct Folder(PathBuf);

/// A key pair, as OpenSSH's files.
#[derive(Debug, Clone)]
pub(super) struct KeyPair {
    pub(super) private: String,
    /// `ssh-ed25519 AAAA…`, without a comment.
    pub(super) public: String,
}

impl Folder {
    /// The folder that was asked for, or `.lab/NAME` here.
    pub(super) fn of(name: &LabName, asked: Option<&Path>) -> Result<Self, LabError> {
        let path = asked.map_or_else(|| Path::new(PARENT).join(name.as_str()), Path::to_owned);
        let found = std::path::absolute(&path);
        found
            .map(Self)
            .map_err(LabError::file(format!("find the folder {}", path.display())))
    }

    /// The folder that a label names.
    pub(super) fn at(path: &str) -> Self {
        Self(PathBuf::from(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn exists(&self) -> bool {
        self.0.is_dir()
    }

    pub(super) fn identity(&self) -> PathBuf {
        self.0.join(IDENTITY)
    }

    pub(super) fn inventory(&self) -> PathBuf {
        self.0.join(INVENTORY)
    }

    pub(super) fn known_hosts(&self) -> PathBuf {
        self.0.join(KNOWN_HOSTS)
    }

    pub(super) fn settings(&self) -> PathBuf {
        self.0.join(SETTINGS)
    }

    /// Makes the folder, for its owner alone: it holds private keys.
    pub(super) fn make(&self) -> Result<(), LabError> {
        let made = fs::create_dir_all(self.0.join(HOST_KEYS))
            .and_then(|()| fs::set_permissions(&self.0, fs::Permissions::from_mode(0o700)));
        made.map_err(LabError::file(format!("make the folder {}", self.0.display())))
    }

    /// The key pair that people and the deployer log in with; made when there is none.
    pub(super) async fn login_key(&self) -> Result<KeyPair, LabError> {
        key_pair(&self.identity(), "metric-flow-lab").await
    }

    /// A host's own key pair; made when there is none, so that a host that is made again keeps it.
    pub(super) async fn host_key(&self, host: &str) -> Result<KeyPair, LabError> {
        key_pair(&self.0.join(HOST_KEYS).join(host), host).await
    }

    /// Removes the lab's files, and the folder if nothing else is in it. True when it is gone.
    pub(super) fn remove(&self) -> Result<bool, LabError> {
        let keys = self.0.join(HOST_KEYS);
        unless_missing(fs::remove_dir_all(&keys), &keys)?;
        for name in [IDENTITY, IDENTITY_PUBLIC, INVENTORY, KNOWN_HOSTS, SETTINGS] {
            let path = self.0.join(name);
            unless_missing(fs::remove_file(&path), &path)?;
        }
        // A folder with a person's own files in it stays.
        let gone = fs::remove_dir(&self.0).is_ok() || !self.0.exists();
        if gone && let Some(parent) = self.0.parent().filter(|parent| parent.ends_with(PARENT)) {
            // It holds other labs, or it does not.
            let _ = fs::remove_dir(parent);
        }
        Ok(gone)
    }
}

/// Writes a file only when it would change, by way of a new file that takes its place.
pub(super) fn write(path: &Path, text: &str) -> Result<bool, LabError> {
    if fs::read_to_string(path).is_ok_and(|before| before == text) {
        return Ok(false);
    }
    let draft = path.with_extension("new");
    fs::write(&draft, text)
        .and_then(|()| fs::rename(&draft, path))
        .map_err(LabError::file(format!("write {}", path.display())))?;
    Ok(true)
}

fn unless_missing(result: io::Result<()>, path: &Path) -> Result<(), LabError> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(LabError::file(format!("remove {}", path.display()))(error))
        }
        _ => Ok(()),
    }
}

async fn key_pair(path: &Path, comment: &str) -> Result<KeyPair, LabError> {
    if !path.exists() {
        let failed = |said: String| LabError::Program {
            program: "ssh-keygen",
            said,
            hint: "install the OpenSSH client: `apt install openssh-client` or `dnf install openssh-clients`",
        };
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-C", comment, "-f"])
            .arg(path)
            .output()
            .await;
        let output = made.map_err(|error| failed(error.to_string()))?;
        if !output.status.success() {
            return Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
        }
    }
    let read =
        |path: &Path| fs::read_to_string(path).map_err(LabError::file(format!("read {}", path.display())));
    let public = read(&path.with_extension("pub"))?;
    Ok(KeyPair {
        private: read(path)?,
        public: public.split_whitespace().take(2).collect::<Vec<_>>().join(" "),
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn removing_a_lab_leaves_files_that_are_not_its_own() {
        let place = tempfile::tempdir().expect("a folder");
        let folder = Folder(place.path().join("lab"));
        folder.make().expect("made");
        write(&folder.inventory(), "text").expect("written");
        fs::write(folder.path().join("notes.txt"), "mine").expect("written");
        assert!(!folder.remove().expect("removed"));
        assert!(!folder.inventory().exists());
        assert!(folder.path().join("notes.txt").exists());
        fs::remove_file(folder.path().join("notes.txt")).expect("removed");
        assert!(folder.remove().expect("removed"));
        assert!(folder.remove().expect("removing twice is fine"));
    }

    #[test]
    fn a_file_that_would_not_change_is_not_written() {
        let place = tempfile::tempdir().expect("a folder");
        let path = place.path().join("hosts.toml");
        assert!(write(&path, "a").expect("written"));
        assert!(!write(&path, "a").expect("the same"));
        assert!(write(&path, "b").expect("written"));
    }
}
