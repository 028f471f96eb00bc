//! The log-in of the account that owns the hosts: where it comes from, and writing it down once it works.

use std::{io, path::Path};

use base64::Engine as _;
use rand::Rng as _;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{error::HostError, local::write_private};

/// Holds the password of the account that owns the hosts.
const PASSWORD_VARIABLE: &str = "DEPLOYER_ACCOUNT_PASSWORD";
/// Holds its name.
const NAME_VARIABLE: &str = "DEPLOYER_ACCOUNT";
/// Its name, where the variable gives no other.
const NAME: &str = "admin";
/// The bytes of a password that we make up: 144 bits, 24 characters.
const PASSWORD_BYTES: usize = 18;
/// What a log-in that has not worked yet is called.
const UNTRIED: &str = "untried";

/// Where a log-in comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Origin {
    /// It is written down, and has worked.
    #[default]
    File,
    /// It was made up for a server that may or may not have taken it.
    Untried,
    /// The variables of the environment.
    Environment,
    /// Made up now.
    MadeUp,
}

/// A log-in.
#[derive(Serialize, Deserialize)]
pub(super) struct Account {
    pub(super) name: String,
    pub(super) password: String,
    #[serde(skip)]
    pub(super) origin: Origin,
}

impl Account {
    /// The log-in: as written down, else the password of the environment, else for a `fresh` server one made up.
    pub(super) fn find(file: &Path, fresh: bool) -> Result<Self, HostError> {
        if let Some(account) = read(file)? {
            return Ok(account);
        }
        // Cut off between making the account and writing it down.
        if let Some(account) = read(&untried(file))? {
            let origin = Origin::Untried;
            return Ok(Self { origin, ..account });
        }
        let name = std::env::var(NAME_VARIABLE).unwrap_or_else(|_| NAME.to_owned());
        match std::env::var(PASSWORD_VARIABLE) {
            Ok(password) => Ok(Self {
                name,
                password,
                origin: Origin::Environment,
            }),
            Err(_) if fresh => {
                let mut bytes = [0u8; PASSWORD_BYTES];
                rand::rng().fill_bytes(&mut bytes);
                Ok(Self {
                    name,
                    password: base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes),
                    origin: Origin::MadeUp,
                })
            }
            Err(_) => Err(HostError::NoLogIn {
                file: file.to_owned(),
            }),
        }
    }
}

fn read(file: &Path) -> Result<Option<Account>, HostError> {
    match std::fs::read_to_string(file) {
        Ok(text) => serde_json::from_str(&text)
            .map(Some)
            .map_err(|error| failed(file)(io::Error::other(error))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(file)(error)),
    }
}

/// Keeps a made-up password before it is tried.
pub(super) fn keep_for_later(file: &Path, account: &Account) -> Result<(), HostError> {
    let file = untried(file);
    write_private(&file, json!(account).to_string().as_bytes()).map_err(failed(&file))
}

/// Writes down a log-in that has worked.
pub(super) fn write_down(file: &Path, account: &Account) -> Result<(), HostError> {
    if account.origin == Origin::File {
        return Ok(());
    }
    write_private(file, json!(account).to_string().as_bytes()).map_err(failed(file))?;
    match std::fs::remove_file(untried(file)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(file)(error)),
        _ => Ok(()),
    }
}

fn untried(file: &Path) -> std::path::PathBuf {
    file.with_extension(UNTRIED)
}

fn failed(file: &Path) -> impl FnOnce(io::Error) -> HostError + use<> {
    let name = file.display().to_string();
    move |source| HostError::Content { name, source }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_made_up_password_is_written_down_only_once_it_has_worked() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("account.json");
        let made_up = Account::find(&file, true).expect("a log-in");
        assert_eq!(made_up.origin, Origin::MadeUp);
        assert!(!file.exists());
        keep_for_later(&file, &made_up).expect("kept");
        let again = Account::find(&file, false).expect("the same one");
        assert_eq!(
            (again.origin, &again.password),
            (Origin::Untried, &made_up.password)
        );
        write_down(&file, &again).expect("written");
        let known = Account::find(&file, false).expect("known");
        assert_eq!((known.origin, known.password), (Origin::File, made_up.password));
        assert!(!untried(&file).exists());
    }

    #[test]
    fn nothing_is_made_up_for_a_server_that_has_an_account() {
        let folder = tempfile::tempdir().expect("a folder");
        let missing = Account::find(&folder.path().join("account.json"), false);
        assert!(matches!(missing, Err(HostError::NoLogIn { .. })));
    }
}
