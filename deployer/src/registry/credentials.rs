//! Who one is at a registry: what `podman login` and `docker login` have written down, or the helper that they name.

use std::{
    collections::BTreeMap,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use base64::Engine as _;
use secrecy::SecretString;
use serde::Deserialize;

use crate::containers::{Credentials, RegistryAccess};

/// Docker's own registry, which its files call by an address.
const DOCKER_HUB: &str = "https://index.docker.io/v1/";

/// Why the credentials of a registry cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// A file cannot be read.
    #[error("{path} cannot be read: {reason}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// A helper does not help.
    #[error("the credential helper docker-credential-{helper} failed: {reason}")]
    Helper {
        /// Which.
        helper: String,
        /// What it said.
        reason: String,
    },
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct File {
    auths: BTreeMap<String, Entry>,
    cred_helpers: BTreeMap<String, String>,
    creds_store: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Entry {
    auth: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Helped {
    username: String,
    secret: String,
}

/// The files in the order in which Podman looks: `REGISTRY_AUTH_FILE`, the session's, the user's, then Docker's.
fn files() -> Vec<PathBuf> {
    if let Some(named) = std::env::var_os("REGISTRY_AUTH_FILE") {
        return vec![named.into()];
    }
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let home = std::env::home_dir();
    let config = std::env::var_os("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| home.as_ref().map(|home| home.join(".config")));
    let docker = std::env::var_os("DOCKER_CONFIG")
        .map(PathBuf::from)
        .or_else(|| home.map(|home| home.join(".docker")));
    [
        runtime.map(|folder| folder.join("containers/auth.json")),
        config.map(|folder| folder.join("containers/auth.json")),
        docker.map(|folder| folder.join("config.json")),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// How a registry is used, as `name:port/path`: who one is there, and whether it may go without TLS because it stands in
/// `insecure`.
///
/// # Errors
///
/// When a file makes no sense or a helper fails.
pub fn access(registry: &str, insecure: &[String]) -> Result<RegistryAccess, CredentialsError> {
    let name = registry.split('/').next().unwrap_or_default();
    Ok(RegistryAccess {
        insecure: insecure.iter().any(|known| known == name),
        credentials: credentials(name)?,
    })
}

/// What is written down for a registry, as `name:port`; nothing where nobody has logged in.
fn credentials(registry: &str) -> Result<Option<Credentials>, CredentialsError> {
    for path in files() {
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => {
                return Err(CredentialsError::File {
                    path,
                    reason: error.to_string(),
                });
            }
        };
        if let Some(found) = in_file(&text, &path, registry)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn in_file(text: &str, path: &Path, registry: &str) -> Result<Option<Credentials>, CredentialsError> {
    let wrong = |reason: String| CredentialsError::File {
        path: path.to_owned(),
        reason,
    };
    let file: File = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
    if let Some(helper) = file.cred_helpers.get(registry) {
        return ask(helper, registry);
    }
    let is_it = |name: &str| {
        let bare = name
            .trim_start_matches("https://")
            .trim_start_matches("http://")
            .trim_end_matches('/');
        bare == registry || (registry == "docker.io" && name == DOCKER_HUB)
    };
    let entry = file.auths.iter().find(|(name, _)| is_it(name));
    match entry.and_then(|(_, entry)| entry.auth.as_deref()) {
        Some(auth) if !auth.is_empty() => {
            let bytes = base64::engine::general_purpose::STANDARD
                .decode(auth)
                .map_err(|error| wrong(format!("`auth` of {registry}: {error}")))?;
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let (user, password) = text
                .split_once(':')
                .ok_or_else(|| wrong(format!("`auth` of {registry} has no password")))?;
            Ok(Some(Credentials {
                user: user.to_owned(),
                password: SecretString::from(password.trim_end_matches('\0').to_owned()),
            }))
        }
        _ => match file.creds_store {
            Some(helper) => ask(&helper, registry),
            None => Ok(None),
        },
    }
}

/// Asks a helper by the protocol of docker-credential-helpers: the registry on stdin, JSON on stdout.
fn ask(helper: &str, registry: &str) -> Result<Option<Credentials>, CredentialsError> {
    let failed = |reason: String| CredentialsError::Helper {
        helper: helper.to_owned(),
        reason,
    };
    let mut child = Command::new(format!("docker-credential-{helper}"))
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A helper that does not read says why on its own outputs.
        let _ = writeln!(stdin, "{registry}");
    }
    let output = child
        .wait_with_output()
        .map_err(|error| failed(error.to_string()))?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        // The protocol's own words for: nobody has logged in there.
        if said.contains("credentials not found") {
            return Ok(None);
        }
        let reason = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(failed(format!("{} {}", said.trim(), reason.trim())));
    }
    let helped: Helped = serde_json::from_str(&said).map_err(|error| failed(error.to_string()))?;
    Ok(Some(Credentials {
        user: helped.username,
        password: SecretString::from(helped.secret),
    }))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "a test fails by panicking")]

    use secrecy::ExposeSecret as _;

    use super::*;

    fn found(text: &str, registry: &str) -> Option<(String, String)> {
        let found = in_file(text, Path::new("auth.json"), registry).expect("a file that makes sense");
        found.map(|found| (found.user, found.password.expose_secret().to_owned()))
    }

    #[test]
    fn a_log_in_is_found_under_each_spelling_of_the_registry() {
        let text = r#"{"auths": {"lab:5000": {"auth": "bWU6cGFzczp3b3Jk"}, "https://other/": {"auth": "YTpi"}, "helped": {}}}"#;
        assert_eq!(
            found(text, "lab:5000"),
            Some(("me".to_owned(), "pass:word".to_owned()))
        );
        assert_eq!(found(text, "other"), Some(("a".to_owned(), "b".to_owned())));
        assert_eq!(found(text, "helped"), None);
        assert_eq!(found("{}", "lab:5000"), None);
    }

    #[test]
    fn a_file_or_helper_that_makes_no_sense_is_an_error() {
        let path = Path::new("auth.json");
        assert!(in_file("[", path, "x").is_err());
        let text = r#"{"auths": {"x": {"auth": "%%%"}}}"#;
        assert!(in_file(text, path, "x").is_err());
        let text = r#"{"credHelpers": {"x": "that-does-not-exist"}}"#;
        let error = in_file(text, path, "x").map(drop).expect_err("no such helper");
        assert!(
            error
                .to_string()
                .contains("docker-credential-that-does-not-exist"),
            "{error}"
        );
    }
}
