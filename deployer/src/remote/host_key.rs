//! Which host key to accept: the pinned one, or a recorded one; never one that was just seen.

use std::borrow::Cow;

use russh::keys::{Algorithm, Certificate, HashAlg, PublicKey};

use super::known_hosts::{KnownHosts, Verdict};
use crate::inventory::Host;

/// A key that a host has shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferedKey {
    /// As in known_hosts: `ssh-ed25519 AAAA…`.
    pub line: String,
    /// `SHA256:…`, as `ssh-keygen -l` prints it.
    pub fingerprint: String,
}

impl From<&PublicKey> for OfferedKey {
    fn from(key: &PublicKey) -> Self {
        let mut bare = key.clone();
        bare.set_comment("");
        let line = bare.to_openssh().unwrap_or_default().trim().to_owned();
        Self {
            line,
            fingerprint: key.fingerprint(HashAlg::Sha256).to_string(),
        }
    }
}

/// Why a host key is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HostKeyError {
    /// The host is not known.
    #[error("its host key {fingerprint} is not known")]
    Unknown {
        /// Of the offered key.
        fingerprint: String,
    },
    /// The host shows another key than the recorded one.
    #[error("its host key has CHANGED to {fingerprint}; another one is recorded at {recorded_at}")]
    Changed {
        /// Of the offered key.
        fingerprint: String,
        /// Where the old one is recorded.
        recorded_at: String,
    },
    /// The host shows a key that was revoked.
    #[error("its host key {fingerprint} is marked as revoked at {recorded_at}")]
    Revoked {
        /// Of the offered key.
        fingerprint: String,
        /// Where it was revoked.
        recorded_at: String,
    },
    /// The pinned key cannot be read.
    #[error("the `host_key` of hosts.toml is no public key")]
    Pin,
}

/// What to compare an offered key with.
#[derive(Debug, Clone)]
pub(super) enum Policy {
    /// Only this key.
    Pinned(Box<PublicKey>),
    /// Whatever is recorded.
    Recorded {
        known: KnownHosts,
        address: String,
        port: u16,
    },
    /// Any, only to look at it: nothing is sent over such a connection.
    LookOnly,
}

impl Policy {
    pub(super) fn of(host: &Host, known: &KnownHosts) -> Result<Self, HostKeyError> {
        match &host.host_key {
            None => Ok(Self::Recorded {
                known: known.clone(),
                address: host.address.clone(),
                port: host.port,
            }),
            Some(line) => {
                let key = PublicKey::from_openssh(line).map_err(|_| HostKeyError::Pin)?;
                Ok(Self::Pinned(Box::new(key)))
            }
        }
    }

    pub(super) fn check(&self, key: &PublicKey) -> Result<(), HostKeyError> {
        let fingerprint = || key.fingerprint(HashAlg::Sha256).to_string();
        match self {
            Self::LookOnly => Ok(()),
            Self::Pinned(pinned) if pinned.key_data() == key.key_data() => Ok(()),
            Self::Pinned(_) => {
                let recorded_at = "`host_key` in hosts.toml".to_owned();
                Err(HostKeyError::Changed {
                    fingerprint: fingerprint(),
                    recorded_at,
                })
            }
            Self::Recorded { known, address, port } => match known.check(address, *port, key) {
                Verdict::Known => Ok(()),
                Verdict::Unknown => Err(HostKeyError::Unknown {
                    fingerprint: fingerprint(),
                }),
                Verdict::Changed { recorded_at } => Err(HostKeyError::Changed {
                    fingerprint: fingerprint(),
                    recorded_at,
                }),
                Verdict::Revoked { recorded_at } => Err(HostKeyError::Revoked {
                    fingerprint: fingerprint(),
                    recorded_at,
                }),
            },
        }
    }

    /// Judges a certificate. A pinned key is the only one, and a certificate is not asked for then.
    pub(super) fn check_certificate(&self, certificate: &Certificate) -> Result<(), HostKeyError> {
        let key = PublicKey::new(certificate.public_key().clone(), "");
        let Self::Recorded { known, address, port } = self else {
            return self.check(&key);
        };
        match known.vouched(address, *port, certificate) {
            Verdict::Known => Ok(()),
            Verdict::Revoked { recorded_at } => Err(HostKeyError::Revoked {
                fingerprint: key.fingerprint(HashAlg::Sha256).to_string(),
                recorded_at,
            }),
            // Its certificate says nothing, but its key may be recorded by itself.
            _ => self.check(&key),
        }
    }

    /// The kinds of certificates to ask for: all, where an authority is recorded for the host.
    pub(super) fn certificates(&self) -> Cow<'static, [Algorithm]> {
        match self {
            Self::Recorded { known, address, port } if known.has_authority(address, *port) => {
                let all = russh::Preferred::DEFAULT.key;
                let modern = all
                    .iter()
                    .filter(|algorithm| **algorithm != Algorithm::Rsa { hash: None });
                Cow::Owned(modern.cloned().collect())
            }
            _ => Cow::Borrowed(&[]),
        }
    }

    /// The host key algorithms to ask for: only those of the recorded keys where there are any.
    pub(super) fn algorithms(&self) -> Cow<'static, [Algorithm]> {
        let recorded = match self {
            Self::Pinned(key) => vec![key.as_ref().clone()],
            Self::Recorded { known, address, port } => known.recorded(address, *port),
            Self::LookOnly => Vec::new(),
        };
        let all = russh::Preferred::DEFAULT.key;
        // SHA-1 signatures are never asked for.
        let modern = all
            .iter()
            .filter(|algorithm| **algorithm != Algorithm::Rsa { hash: None });
        let wanted = modern.filter(|algorithm| {
            recorded.is_empty()
                || recorded.iter().any(|key| {
                    key.algorithm() == **algorithm
                        || (key.algorithm().is_rsa() && (*algorithm).clone().is_rsa())
                })
        });
        Cow::Owned(wanted.cloned().collect())
    }
}
