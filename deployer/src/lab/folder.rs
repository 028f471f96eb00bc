//! The lab's folder: its keys, hosts.toml and settings. `down` removes what is named here, and nothing else.

use std::{
    fs::{self, File, TryLockError},
    io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::{process::Command, time::sleep};

use super::{error::LabError, names::LabName};
use crate::progress::{Event, Progress};

const IDENTITY: &str = "id_ed25519";
const IDENTITY_PUBLIC: &str = "id_ed25519.pub";
const INVENTORY: &str = "hosts.toml";
const KNOWN_HOSTS: &str = "known_hosts";
const SETTINGS: &str = "containers.conf";
const HOST_KEYS: &str = "host_keys";
/// The extension of a file that is about to take another's place.
const DRAFT: &str = "new";
/// Where labs live when nothing else is said: a folder in the project that git ignores.
const PARENT: &str = ".lab";

/// How often a command that waits for its turn looks again.
const ASK_EVERY: Duration = Duration::from_millis(100);

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

    /// Whether the keys are here that open this host and that it shows.
    pub(super) fn has_keys_of(&self, host: &str) -> bool {
        self.identity().exists() && self.0.join(HOST_KEYS).join(host).exists()
    }

    /// Waits until no other command brings this lab up, and holds the others off until the file is closed.
    pub(super) async fn turn(&self, progress: &dyn Progress) -> Result<File, LabError> {
        let failed = || LabError::file(format!("lock the folder {}", self.0.display()));
        let folder = File::open(&self.0).map_err(failed())?;
        let mut told = false;
        loop {
            match folder.try_lock() {
                Ok(()) => return Ok(folder),
                Err(TryLockError::Error(error)) => return Err(failed()(error)),
                Err(TryLockError::WouldBlock) if !told => {
                    told = true;
                    let message = "another `deployer lab up` is at work on this lab; waiting for it";
                    progress.report(Event::Note { message });
                }
                Err(TryLockError::WouldBlock) => sleep(ASK_EVERY).await,
            }
        }
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
            // And what a command that was killed in the middle of `write` left.
            for path in [path.with_extension(DRAFT), path] {
                unless_missing(fs::remove_file(&path), &path)?;
            }
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
    let draft = path.with_extension(DRAFT);
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
    let public_path = path.with_extension("pub");
    if !path.exists() {
        // What is beside it belongs to a key that is gone, and would be asked about.
        unless_missing(fs::remove_file(&public_path), &public_path)?;
        let made = ssh_keygen(&["-q", "-t", "ed25519", "-N", "", "-C", comment], path).await;
        if made.is_err() {
            // Half a pair would be taken for a whole one the next time.
            for half in [path, &public_path] {
                unless_missing(fs::remove_file(half), half)?;
            }
        }
        made?;
    }
    let read =
        |path: &Path| fs::read_to_string(path).map_err(LabError::file(format!("read {}", path.display())));
    let mut public = fs::read_to_string(&public_path).unwrap_or_default();
    if public.trim().is_empty() {
        public = ssh_keygen(&["-y"], path).await?;
        write(&public_path, &public)?;
    }
    Ok(KeyPair {
        private: read(path)?,
        public: public.split_whitespace().take(2).collect::<Vec<_>>().join(" "),
    })
}

/// Runs ssh-keygen on a file, and returns what it printed.
async fn ssh_keygen(arguments: &[&str], path: &Path) -> Result<String, LabError> {
    let failed = |said: String, hint| LabError::Program {
        program: "ssh-keygen",
        said,
        hint,
    };
    let ran = Command::new("ssh-keygen")
        .args(arguments)
        .arg("-f")
        .arg(path)
        .stdin(Stdio::null())
        .output()
        .await;
    let output = ran.map_err(|error| {
        failed(
            error.to_string(),
            "install the OpenSSH client: `apt install openssh-client` or `dnf install openssh-clients`",
        )
    })?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(failed(
            String::from_utf8_lossy(&output.stderr).trim().to_owned(),
            "look at that file and at the free space of its disk; --folder puts the lab elsewhere",
        ))
    }
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
        fs::write(folder.path().join("hosts.new"), "te").expect("half written");
        fs::write(folder.path().join("notes.txt"), "mine").expect("written");
        assert!(!folder.remove().expect("removed"));
        assert!(!folder.inventory().exists() && !folder.path().join("hosts.new").exists());
        assert!(folder.path().join("notes.txt").exists());
        fs::remove_file(folder.path().join("notes.txt")).expect("removed");
        assert!(folder.remove().expect("removed"));
        assert!(folder.remove().expect("removing twice is fine"));
    }

    #[tokio::test]
    async fn half_a_key_pair_is_made_whole_and_a_lost_one_anew() {
        let place = tempfile::tempdir().expect("a folder");
        let path = place.path().join("id_ed25519");
        let made = key_pair(&path, "test").await.expect("a pair");
        fs::write(path.with_extension("pub"), "").expect("emptied, as by a full disk");
        let mended = key_pair(&path, "test").await.expect("the pair");
        assert_eq!(made.public, mended.public);
        fs::remove_file(&path).expect("lost");
        let other = key_pair(&path, "test").await.expect("another pair");
        assert_ne!(made.public, other.public);
        assert!(key_pair(&place.path().join("no/key"), "test").await.is_err());
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
