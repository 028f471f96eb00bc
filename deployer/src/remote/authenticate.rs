//! Logging in: the key file of hosts.toml, else the agent and the usual files.

use std::{path::PathBuf, sync::Arc};

use russh::{
    client::{AuthResult, Handle, KeyboardInteractiveAuthResponse},
    keys::{
        PrivateKeyWithHashAlg,
        agent::{AgentIdentity, client::AgentClient},
    },
};
use secrecy::{ExposeSecret as _, SecretString};

use super::connect::Guard;
use crate::inventory::Host;

/// Holds the passphrase of an encrypted key file: a terminal prompt would stop a rollout of twenty hosts twenty times.
const PASSPHRASE_VARIABLE: &str = "DEPLOYER_KEY_PASSPHRASE";
/// The answer to a keyboard-interactive question.
const PASSWORD_VARIABLE: &str = "DEPLOYER_SSH_PASSWORD";
/// Questions that a server may ask one after the other before it is given up.
const MOST_ROUNDS: usize = 8;
/// What OpenSSH tries by itself, in its order.
const USUAL_FILES: [&str; 3] = ["id_ed25519", "id_ecdsa", "id_rsa"];

/// Logs in, or says all that was tried.
pub(super) async fn authenticate(handle: &mut Handle<Guard>, host: &Host) -> Result<(), AuthenticateError> {
    let mut tried = Vec::new();
    if let Some(file) = &host.identity_file {
        match key_file(handle, host, file.clone(), true, &mut tried).await {
            Ok(true) => return Ok(()),
            Ok(false) => {}
            // The agent may hold the key that the file hides.
            Err(error @ AuthenticateError::KeyFile { .. }) => {
                return if agent(handle, host, &mut tried).await? {
                    Ok(())
                } else {
                    Err(error)
                };
            }
            Err(error) => return Err(error),
        }
    } else {
        if agent(handle, host, &mut tried).await? {
            return Ok(());
        }
        for file in USUAL_FILES {
            let Some(home) = std::env::home_dir() else { break };
            let file = home.join(".ssh").join(file);
            if file.exists() && key_file(handle, host, file, false, &mut tried).await? {
                return Ok(());
            }
        }
    }
    if keyboard(handle, host, &mut tried).await? {
        return Ok(());
    }
    if tried.is_empty() {
        tried.push("no key was found: no agent, no file in ~/.ssh, no `identity_file`".to_owned());
    }
    Err(AuthenticateError::Refused {
        user: host.user.clone(),
        tried,
    })
}

/// Why logging in failed.
#[derive(Debug, thiserror::Error)]
pub enum AuthenticateError {
    /// The server accepts none of it.
    #[error("it lets nobody in as {user}: {}", tried.join("; "))]
    Refused {
        /// Who was to log in.
        user: String,
        /// What was tried, and what came of it.
        tried: Vec<String>,
    },
    /// The named key file is unusable.
    #[error("the key file {file} cannot be used: {reason}")]
    KeyFile {
        /// Which.
        file: PathBuf,
        /// Why.
        reason: String,
    },
    /// The connection broke.
    #[error("the connection broke while logging in")]
    Broken(#[from] russh::Error),
}

async fn key_file(
    handle: &mut Handle<Guard>,
    host: &Host,
    file: PathBuf,
    named: bool,
    tried: &mut Vec<String>,
) -> Result<bool, AuthenticateError> {
    let passphrase = std::env::var(PASSPHRASE_VARIABLE).ok().map(SecretString::from);
    let loaded =
        russh::keys::load_secret_key(&file, passphrase.as_ref().map(|secret| secret.expose_secret()));
    let key = match loaded {
        Ok(key) => key,
        Err(error) => {
            let reason = match error {
                russh::keys::Error::KeyIsEncrypted => {
                    format!("it is encrypted: set {PASSPHRASE_VARIABLE}, or add it to the agent")
                }
                other => other.to_string(),
            };
            if named {
                return Err(AuthenticateError::KeyFile { file, reason });
            }
            tried.push(format!("{}: {reason}", file.display()));
            return Ok(false);
        }
    };
    let hash = if key.algorithm().is_rsa() {
        handle.best_supported_rsa_hash().await?.flatten()
    } else {
        None
    };
    let key = PrivateKeyWithHashAlg::new(Arc::new(key), hash);
    let accepted = handle.authenticate_publickey(&host.user, key).await?;
    tried.push(format!("the key {} is not accepted", file.display()));
    Ok(matches!(accepted, AuthResult::Success))
}

async fn agent(
    handle: &mut Handle<Guard>,
    host: &Host,
    tried: &mut Vec<String>,
) -> Result<bool, AuthenticateError> {
    let Ok(mut agent) = AgentClient::connect_env().await else {
        return Ok(false);
    };
    let Ok(identities) = agent.request_identities().await else {
        tried.push("the agent does not answer".to_owned());
        return Ok(false);
    };
    for identity in identities {
        let AgentIdentity::PublicKey { key, comment } = identity else {
            continue;
        };
        let hash = if key.algorithm().is_rsa() {
            handle.best_supported_rsa_hash().await?.flatten()
        } else {
            None
        };
        match handle
            .authenticate_publickey_with(&host.user, key, hash, &mut agent)
            .await
        {
            Ok(AuthResult::Success) => return Ok(true),
            Ok(AuthResult::Failure { .. }) => {
                tried.push(format!("the agent's key `{comment}` is not accepted"))
            }
            Err(error) => tried.push(format!("the agent does not sign with `{comment}`: {error}")),
        }
    }
    Ok(false)
}

async fn keyboard(
    handle: &mut Handle<Guard>,
    host: &Host,
    tried: &mut Vec<String>,
) -> Result<bool, AuthenticateError> {
    let Ok(password) = std::env::var(PASSWORD_VARIABLE).map(SecretString::from) else {
        return Ok(false);
    };
    let mut answer = handle
        .authenticate_keyboard_interactive_start(&host.user, None::<String>)
        .await?;
    for _ in 0..MOST_ROUNDS {
        match answer {
            KeyboardInteractiveAuthResponse::Success => return Ok(true),
            KeyboardInteractiveAuthResponse::Failure { .. } => break,
            KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. } => {
                let answers = prompts
                    .iter()
                    .map(|_| password.expose_secret().to_owned())
                    .collect();
                answer = handle.authenticate_keyboard_interactive_respond(answers).await?;
            }
        }
    }
    tried.push(format!("the password in {PASSWORD_VARIABLE} is not accepted"));
    Ok(false)
}
