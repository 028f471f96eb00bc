//! The client against a fake server over real sockets: streams, cuts, refusals, certificates.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod fake_server;

use std::{fs, path::Path, sync::Arc};

use fake_server::{Client, FakeServer, Manner, config, state_until, until};
use http::StatusCode;
use node_client::{agent, health::read_state, spool::Spool, spool::SpoolLimits};
use secrecy::SecretString;
use tokio_rustls::{TlsAcceptor, rustls};
use tokio_util::sync::CancellationToken;

fn http(server: &FakeServer) -> String {
    format!("http://{}", server.address)
}

async fn durable(server: &FakeServer, least: u64) {
    until("enough samples", || async {
        server.ledger().durable_of_all() >= least
    })
    .await;
}

#[tokio::test]
async fn samples_arrive_in_order_and_the_last_ones_at_the_end() {
    let folder = tempfile::tempdir().expect("temp folder");
    let server = FakeServer::start(None, |_| Manner::Serve).await;
    let client = Client::start(config(&http(&server), folder.path()));
    durable(&server, 5).await;
    let state = state_until(folder.path(), "connected", |state| state.connected).await;
    assert_eq!(state.problem, "");
    client.end().await;
    let hello = server.ledger().hellos[0].clone();
    assert_eq!(hello.facts.expect("facts").host_name, "test-host");
    let spool = Spool::open(folder.path(), SpoolLimits::with_bytes(1_000_000), 0).expect("the spool is free");
    let ledger = server.ledger();
    assert_eq!(spool.last_seq(), ledger.durable_of_all(), "nothing stayed behind");
    assert_eq!(spool.acknowledged(), spool.last_seq());
    let state = read_state(folder.path()).expect("the last state");
    assert_eq!(
        (state.acknowledged_seq, state.waiting_samples),
        (spool.last_seq(), 0)
    );
    assert_eq!(ledger.goodbyes, [1001]);
    assert!(ledger.dropped.is_empty());
}

#[tokio::test]
async fn cut_connections_cost_no_sample() {
    let folder = tempfile::tempdir().expect("temp folder");
    let server = FakeServer::start(None, |index| match index {
        0..4 => Manner::HangUpAfter(index + 1),
        _ => Manner::Serve,
    })
    .await;
    let client = Client::start(config(&http(&server), folder.path()));
    until("five connections", || async { server.connections() >= 5 }).await;
    let so_far = server.ledger().durable_of_all();
    durable(&server, so_far + 5).await;
    client.end().await;
    let ledger = server.ledger();
    assert_eq!(ledger.stored.len(), 1, "one numbering");
    let stored = ledger.stored.values().next().expect("an epoch");
    assert_eq!(
        stored.len() as u64,
        ledger.durable_of_all(),
        "no number is missing"
    );
}

#[tokio::test]
async fn a_backlog_of_an_earlier_run_is_replayed_under_the_same_numbering() {
    let folder = tempfile::tempdir().expect("temp folder");
    let nobody = "http://127.0.0.1:1";
    let client = Client::start(config(nobody, folder.path()));
    state_until(folder.path(), "waiting samples", |state| {
        state.waiting_samples >= 3
    })
    .await;
    client.end().await;
    let epoch = fs::read_to_string(folder.path().join("epoch")).expect("an epoch");
    let server = FakeServer::start(None, |_| Manner::Serve).await;
    let client = Client::start(config(&http(&server), folder.path()));
    durable(&server, 10).await;
    client.end().await;
    assert_eq!(server.ledger().stored.keys().collect::<Vec<_>>(), [epoch.trim()]);
}

async fn problem_with(manner: Manner) -> String {
    let folder = tempfile::tempdir().expect("temp folder");
    let server = FakeServer::start(None, move |_| manner).await;
    let client = Client::start(config(&http(&server), folder.path()));
    let state = state_until(folder.path(), "a problem", |state| !state.problem.is_empty()).await;
    assert!(!state.connected);
    client.end().await;
    // What could not be sent is still there.
    let last = read_state(folder.path()).expect("a state");
    assert_eq!(last.acknowledged_seq, 0);
    state.problem
}

#[tokio::test]
async fn a_refused_key_says_where_to_get_another() {
    for manner in [Manner::Refuse(StatusCode::UNAUTHORIZED), Manner::Close(4401)] {
        let problem = problem_with(manner).await;
        assert!(
            problem.contains("refuses the API key") && problem.contains("Keys"),
            "{problem}"
        );
    }
}

#[tokio::test]
async fn a_wrong_key_reaches_the_server_as_one() {
    let folder = tempfile::tempdir().expect("temp folder");
    let server = FakeServer::start(None, |_| Manner::Serve).await;
    let mut config = config(&http(&server), folder.path());
    config.api_key = SecretString::from("mf_wrong");
    let client = Client::start(config);
    let state = state_until(folder.path(), "a problem", |state| !state.problem.is_empty()).await;
    assert!(state.problem.contains("the test refuses"), "{}", state.problem);
    client.end().await;
}

#[tokio::test]
async fn another_address_and_another_protocol_are_told_apart() {
    let wrong = problem_with(Manner::Refuse(StatusCode::NOT_FOUND)).await;
    assert!(wrong.contains("not the address"), "{wrong}");
    for manner in [Manner::Major(2), Manner::NoSubprotocol] {
        let incompatible = problem_with(manner).await;
        assert!(incompatible.contains("same release"), "{incompatible}");
    }
}

#[tokio::test]
async fn nobody_at_the_address_is_said() {
    let folder = tempfile::tempdir().expect("temp folder");
    let client = Client::start(config("http://127.0.0.1:1", folder.path()));
    let state = state_until(folder.path(), "a problem", |state| !state.problem.is_empty()).await;
    assert!(
        state.problem.contains("cannot reach 127.0.0.1:1"),
        "{}",
        state.problem
    );
    client.end().await;
}

struct Certificate {
    acceptor: TlsAcceptor,
    pem: String,
}

fn certificate(expired: bool) -> Certificate {
    let mut parameters = rcgen::CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()])
        .expect("parameters");
    if expired {
        parameters.not_before = rcgen::date_time_ymd(2020, 1, 1);
        parameters.not_after = rcgen::date_time_ymd(2021, 1, 1);
    }
    let key = rcgen::KeyPair::generate().expect("a key");
    let certificate = parameters.self_signed(&key).expect("a certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let private = rustls_pki_types::PrivateKeyDer::try_from(key.serialize_der()).expect("a private key");
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .expect("a configuration");
    Certificate {
        acceptor: TlsAcceptor::from(Arc::new(config)),
        pem: certificate.pem(),
    }
}

async fn problem_over_tls(certificate: &Certificate, spool: &Path) -> String {
    let server = FakeServer::start(Some(certificate.acceptor.clone()), |_| Manner::Serve).await;
    let ca_file = spool.join("ca.pem");
    fs::write(&ca_file, &certificate.pem).expect("write");
    let mut config = config(&format!("https://{}", server.address), spool);
    config.ca_file = Some(ca_file);
    let client = Client::start(config);
    let state = state_until(spool, "news", |state| {
        state.connected || !state.problem.is_empty()
    })
    .await;
    client.end().await;
    state.problem
}

#[tokio::test]
async fn a_certificate_of_the_ca_file_is_trusted() {
    let folder = tempfile::tempdir().expect("temp folder");
    assert_eq!(problem_over_tls(&certificate(false), folder.path()).await, "");
}

#[tokio::test]
async fn an_expired_certificate_is_named_as_that() {
    let folder = tempfile::tempdir().expect("temp folder");
    let problem = problem_over_tls(&certificate(true), folder.path()).await;
    assert!(problem.contains("expired"), "{problem}");
}

#[tokio::test]
async fn an_unknown_authority_leads_to_the_ca_file() {
    let folder = tempfile::tempdir().expect("temp folder");
    let (servers, other) = (certificate(false), certificate(false));
    let mixed = Certificate {
        acceptor: servers.acceptor,
        pem: other.pem,
    };
    let problem = problem_over_tls(&mixed, folder.path()).await;
    assert!(problem.contains("certificate is not accepted"), "{problem}");
}

#[tokio::test]
async fn a_second_client_on_one_spool_is_refused() {
    let folder = tempfile::tempdir().expect("temp folder");
    let first = Client::start(config("http://127.0.0.1:1", folder.path()));
    state_until(folder.path(), "a state", |_| true).await;
    let second = agent::run(
        config("http://127.0.0.1:1", folder.path()),
        CancellationToken::new(),
    )
    .await;
    assert!(
        second
            .expect_err("refused")
            .to_string()
            .contains("another node-client")
    );
    first.end().await;
}
