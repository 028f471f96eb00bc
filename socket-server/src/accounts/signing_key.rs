//! The secret that signs access tokens: random, kept in a file that only the server can read.

use std::{
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret as _, SecretString};
use thiserror::Error;

/// Least length of a secret from a file: HS256 wants 256 bits (RFC 7518 §3.2).
const SECRET_BYTES_MIN: usize = 32;

/// The secret that signs access tokens.
#[derive(Debug, Clone)]
pub struct SigningKey(SecretString);

/// Why there is no signing key.
#[derive(Debug, Error)]
pub enum SigningKeyError {
    /// The file cannot be read or made.
    #[error("cannot {verb} the token secret {}: {cause}", path.display())]
    File {
        /// What was tried.
        verb: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        cause: io::Error,
    },
    /// The file is too short to be a secret.
    #[error("the token secret {} has less than {SECRET_BYTES_MIN} bytes: put in the output of `openssl rand -hex 32`, or remove it to have one made", path.display())]
    TooShort {
        /// The file.
        path: PathBuf,
    },
}

impl SigningKey {
    /// A key for one run: log-ins last on their refresh tokens, access tokens end with the server.
    pub fn random() -> Self {
        Self(super::secrets::random_secret().into())
    }

    /// The key in a file; where there is no such file and `make`, a new one.
    ///
    /// # Errors
    /// When the file cannot be read or made, or is too short.
    pub fn from_file(path: &Path, make: bool) -> Result<Self, SigningKeyError> {
        let failed = |verb, cause| SigningKeyError::File {
            verb,
            path: path.to_owned(),
            cause,
        };
        match fs::read_to_string(path) {
            Ok(text) if text.trim().len() >= SECRET_BYTES_MIN => Ok(Self(text.trim().to_owned().into())),
            Ok(_) => Err(SigningKeyError::TooShort {
                path: path.to_owned(),
            }),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound && make => {
                let key = Self::random();
                let mut options = fs::OpenOptions::new();
                options.write(true).create_new(true);
                #[cfg(unix)]
                std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
                let mut file = options.open(path).map_err(|cause| failed("make", cause))?;
                file.write_all(key.0.expose_secret().as_bytes())
                    .and_then(|()| file.sync_all())
                    .map_err(|cause| failed("write", cause))?;
                Ok(key)
            }
            Err(cause) => Err(failed("read", cause)),
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.0.expose_secret().as_bytes()
    }
}
