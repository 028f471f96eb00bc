//! Whom to trust: the system's authorities and those of `--ca-file`.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use thiserror::Error;
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

/// The trust store cannot be made.
#[derive(Debug, Error)]
pub enum TlsError {
    /// The file with certificates cannot be used.
    #[error("--ca-file {path} cannot be used: {reason}; it holds certificates in PEM form")]
    CaFile {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// There is no authority to trust.
    #[error(
        "this system has no certificate authorities: install ca-certificates, or give the server's with --ca-file"
    )]
    NoAuthorities,
    /// The library refuses.
    #[error("encryption cannot be set up: {0}")]
    Library(#[from] rustls::Error),
}

/// The TLS settings of a client that trusts the system's authorities and those in `ca_file`.
///
/// # Errors
/// When the file cannot be used or there is nobody to trust.
pub fn client_tls(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>, TlsError> {
    let mut roots = RootCertStore::empty();
    if let Some(path) = ca_file {
        let failed = |reason: String| TlsError::CaFile {
            path: path.to_owned(),
            reason,
        };
        let certificates = CertificateDer::pem_file_iter(path).map_err(|error| failed(error.to_string()))?;
        for certificate in certificates {
            let certificate = certificate.map_err(|error| failed(error.to_string()))?;
            roots
                .add(certificate)
                .map_err(|error| failed(error.to_string()))?;
        }
        if roots.is_empty() {
            return Err(failed("there is no certificate in it".to_owned()));
        }
    }
    let system = rustls_native_certs::load_native_certs();
    for error in &system.errors {
        tracing::debug!("a system certificate cannot be read: {error}");
    }
    roots.add_parsable_certificates(system.certs);
    if roots.is_empty() {
        return Err(TlsError::NoAuthorities);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
