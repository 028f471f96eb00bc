//! Which machine this is, whatever its name or address.

use std::{
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::{facts::hello_facts, host_root::HostRoot};

/// Goes before what is hashed: machine-id(5) asks programs not to give the id away, and with a prefix of its own
/// our hash cannot be compared with another program's.
const PREFIX: &str = "metric-flow machine identity v1";

/// Bytes of randomness in an identity file: no two hosts ever draw the same.
const RANDOM_BYTES: usize = 16;

/// The identity file cannot be used.
#[derive(Debug, Error)]
#[error("cannot use the identity file {path}: {source}; it needs a folder that this program may write")]
pub struct IdentityError {
    path: PathBuf,
    source: io::Error,
}

/// The stable identity of a machine, lower-case hex: of its machine-id, else of its hardware addresses, else of its
/// name.
pub fn machine_identity(root: &HostRoot) -> String {
    for file in ["etc/machine-id", "var/lib/dbus/machine-id"] {
        let id = fs::read_to_string(root.join(file)).unwrap_or_default();
        if is_machine_id(id.trim()) {
            return hash("machine-id", id.trim());
        }
    }
    let facts = hello_facts(root);
    if facts.mac_addresses.is_empty() {
        tracing::warn!(
            "this machine has neither a machine-id nor a hardware address: its name is its identity"
        );
        return hash("host-name", &facts.host_name);
    }
    hash("mac-addresses", &facts.mac_addresses.join(","))
}

/// The identity that a file holds; a file that is not there is made, with a new random identity in it.
///
/// # Errors
/// When the file cannot be read or made, or holds nothing.
pub fn identity_of_file(path: &Path) -> Result<String, IdentityError> {
    let failed = |source| IdentityError {
        path: path.to_owned(),
        source,
    };
    match fs::read_to_string(path) {
        Ok(text) if text.trim().is_empty() => {
            Err(failed(io::Error::new(io::ErrorKind::InvalidData, "it is empty")))
        }
        Ok(text) => Ok(hash("file", text.trim())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let random = hex(&rand::random::<[u8; RANDOM_BYTES]>());
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder).map_err(failed)?;
            }
            let mut file = fs::File::create_new(path).map_err(failed)?;
            file.write_all(format!("{random}\n").as_bytes()).map_err(failed)?;
            file.sync_all().map_err(failed)?;
            Ok(hash("file", &random))
        }
        Err(error) => Err(failed(error)),
    }
}

/// 32 hex digits that are not all the same. An image that has not booted yet says `uninitialized`.
fn is_machine_id(text: &str) -> bool {
    let first = text.bytes().next();
    text.len() == 32
        && text.bytes().all(|digit| digit.is_ascii_hexdigit())
        && text.bytes().any(|digit| Some(digit) != first)
}

fn hash(kind: &str, value: &str) -> String {
    hex(&Sha256::digest(format!("{PREFIX}\n{kind}\n{value}")))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "a test fails by panicking")]

    use super::*;

    fn host(files: &[(&str, &str)]) -> (tempfile::TempDir, HostRoot) {
        let folder = tempfile::tempdir().expect("temp folder");
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
            fs::write(path, text).expect("write");
        }
        let root = HostRoot::new(folder.path());
        (folder, root)
    }

    const ID: &str = "3d1219c7c4c5404aaa1f6d2a48adfda4\n";

    #[test]
    fn the_machine_id_decides_and_is_not_given_away() {
        let (_one, bare) = host(&[("etc/machine-id", ID)]);
        let (_two, renamed) = host(&[
            ("etc/machine-id", ID),
            ("etc/hostname", "other"),
            ("sys/class/net/eth0/address", "52:54:00:12:34:56"),
        ]);
        let identity = machine_identity(&bare);
        assert_eq!(identity, machine_identity(&renamed));
        assert_eq!(identity.len(), 64);
        assert!(!identity.contains(ID.trim()));
    }

    #[test]
    fn hardware_addresses_decide_where_there_is_no_machine_id() {
        let mac = ("sys/class/net/eth0/address", "52:54:00:12:34:56\n");
        let (_one, none) = host(&[mac]);
        let (_two, fresh_image) = host(&[mac, ("etc/machine-id", "uninitialized\n"), ("etc/hostname", "x")]);
        let (_three, other) = host(&[("sys/class/net/eth0/address", "52:54:00:12:34:57\n")]);
        assert_eq!(machine_identity(&none), machine_identity(&fresh_image));
        assert_ne!(machine_identity(&none), machine_identity(&other));
    }

    #[test]
    fn an_identity_file_is_made_once_and_kept() {
        let folder = tempfile::tempdir().expect("temp folder");
        let path = folder.path().join("sub/identity");
        let identity = identity_of_file(&path).expect("a new identity");
        assert_eq!(identity_of_file(&path).expect("the same identity"), identity);
        let other = identity_of_file(&folder.path().join("other")).expect("another identity");
        assert_ne!(identity, other);
        fs::write(&path, " \n").expect("write");
        let error = identity_of_file(&path).expect_err("an empty file is no identity");
        assert!(error.to_string().contains("it is empty"), "{error}");
    }
}
