//! TLS by rustls in the server itself.

use std::{net::SocketAddr, path::Path, sync::Arc};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use socket_server::{
    Server, ServerError,
    config::{Config, TlsFiles},
    store::memory::MemoryStore,
};
use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, RootCertStore, crypto::ring},
};

use crate::support::{Answer, Http, TestServer, test_config, until};

fn write_certificate(folder: &Path) -> TlsFiles {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(vec!["localhost".to_owned()]).expect("generated");
    let files = TlsFiles {
        certificate: folder.join("certificate.pem"),
        key: folder.join("key.pem"),
    };
    std::fs::write(&files.certificate, cert.pem()).expect("written");
    std::fs::write(&files.key, signing_key.serialize_pem()).expect("written");
    files
}

async fn get(server: SocketAddr, path: &str, certificate: &Path) -> Answer {
    try_get(server, path, certificate).await.expect("a handshake")
}

/// `None` when the server shows another certificate.
async fn try_get(server: SocketAddr, path: &str, certificate: &Path) -> Option<Answer> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(certificate).expect("a certificate"))
        .expect("a root");
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(server).await.expect("connected");
    let name = ServerName::try_from("localhost").expect("a name");
    let stream = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .ok()?;
    Some(Http::new("GET", path).send_on(stream, server).await)
}

#[tokio::test]
async fn a_server_with_a_certificate_speaks_https() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let files = write_certificate(folder.path());
    let server = TestServer::with(Config {
        tls: Some(files.clone()),
        ..test_config()
    })
    .await;
    let answer = get(server.address, "/healthz", &files.certificate).await;
    assert_eq!(answer.status, 200);
    assert!(answer.header("strict-transport-security").is_some());
    // A peer that never finishes its handshake keeps nobody else out.
    let _stuck = TcpStream::connect(server.address).await.expect("connected");
    assert_eq!(
        get(server.address, "/healthz", &files.certificate).await.status,
        200
    );
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_is_an_error_at_the_start() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let files = write_certificate(folder.path());
    std::fs::write(&files.certificate, "not a certificate").expect("written");
    let config = Config {
        tls: Some(files),
        ..test_config()
    };
    let store = Arc::new(MemoryStore::default());
    let built = Server::build(config, store, metric_flow_lifecycle::Shutdown::new()).await;
    assert!(
        matches!(built.err(), Some(ServerError::Tls(error)) if error.to_string().contains("certificate.pem"))
    );
}

#[cfg(unix)]
#[tokio::test]
async fn a_new_certificate_is_taken_at_sighup_and_a_bad_one_is_not() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let files = write_certificate(folder.path());
    let server = TestServer::with(Config {
        tls: Some(files.clone()),
        ..test_config()
    })
    .await;
    // An answer shows that the server is past installing its signal handler.
    assert_eq!(
        get(server.address, "/healthz", &files.certificate).await.status,
        200
    );
    let old = folder.path().join("old.pem");
    std::fs::copy(&files.certificate, &old).expect("copied");
    std::fs::write(&files.certificate, "not a certificate").expect("written");
    hang_up();
    assert_eq!(get(server.address, "/healthz", &old).await.status, 200);
    write_certificate(folder.path());
    until("the new certificate", async || {
        hang_up();
        try_get(server.address, "/healthz", &files.certificate)
            .await
            .is_some()
    })
    .await;
    assert!(try_get(server.address, "/healthz", &old).await.is_none());
}

#[cfg(unix)]
fn hang_up() {
    let own = std::process::id().to_string();
    let sent = std::process::Command::new("kill")
        .args(["-HUP", &own])
        .status()
        .expect("kill runs");
    assert!(sent.success());
}
