//! What `connect` makes of its arguments and variables.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::time::Duration;

use clap::Parser as _;
use node_client::{
    cli::{Arguments, Command},
    config::{Config, Problems, resolve},
};
use secrecy::ExposeSecret as _;

/// Resolves what follows `node-client connect --spool-dir /spool`, with one variable set.
fn connect(arguments: &[&str], key: Option<&str>) -> Result<Config, Problems> {
    let all = ["node-client", "connect", "--spool-dir", "/spool"]
        .iter()
        .chain(arguments);
    let Command::Connect(arguments) = Arguments::try_parse_from(all).expect("arguments").command else {
        unreachable!("it is connect")
    };
    resolve(&arguments, &|name| {
        key.filter(|_| name == "METRIC_FLOW_API_KEY").map(str::to_owned)
    })
}

#[test]
fn little_has_to_be_said() {
    let config = connect(&["--server", "https://server:8000"], Some("mf_key")).expect("valid");
    assert_eq!(config.server.as_str(), "https://server:8000/");
    assert_eq!(config.api_key.expose_secret(), "mf_key");
    assert_eq!(config.interval, Duration::from_secs(1));
    assert!(config.host_root.is_own() && config.labels.is_empty());
    assert!(
        !format!("{config:?}").contains("mf_key"),
        "the key must not be shown"
    );
}

#[test]
fn the_key_file_wins_and_may_end_in_a_line_end() {
    let folder = tempfile::tempdir().expect("temp folder");
    let path = folder.path().join("key");
    std::fs::write(&path, "mf_file\n").expect("write");
    let path = path.to_str().expect("a path in UTF-8");
    let config = connect(
        &["--server", "http://h", "--api-key-file", path],
        Some("mf_variable"),
    )
    .expect("valid");
    assert_eq!(config.api_key.expose_secret(), "mf_file");
    std::fs::write(path, "two words").expect("write");
    assert!(connect(&["--server", "http://h", "--api-key-file", path], None).is_err());
}

#[test]
fn labels_are_names_and_values() {
    let arguments = [
        "--server",
        "http://h",
        "--label",
        "role=db",
        "--label",
        "rack=a=1,site=x",
    ];
    let config = connect(&arguments, Some("mf_key")).expect("valid");
    let labels: Vec<_> = config
        .labels
        .iter()
        .map(|label| (label.name.as_str(), label.value.as_str()))
        .collect();
    assert_eq!(labels, [("role", "db"), ("rack", "a=1"), ("site", "x")]);
    for wrong in ["role", "=db", "role=", "a\tb=c"] {
        assert!(
            connect(&["--server", "http://h", "--label", wrong], Some("mf_key")).is_err(),
            "{wrong}"
        );
    }
}

#[test]
fn addresses_that_cannot_work_are_refused() {
    for wrong in [
        "server:8000",
        "ftp://h",
        "https://me:pw@h",
        "https://h/?key=1",
        "https://h/#x",
        "http://",
    ] {
        let problems = connect(&["--server", wrong], Some("mf_key")).expect_err(wrong);
        assert_eq!(problems.0.len(), 1, "{wrong}");
        assert!(!problems.0[0].hint.is_empty());
    }
}

#[test]
fn only_a_benchmark_samples_faster_than_counters_count() {
    let fast = ["--server", "http://h", "--interval-ms", "10"];
    let error = connect(&fast, Some("mf_key")).expect_err("too fast");
    assert!(error.to_string().contains("use 100 to 60000"), "{error}");
    let hurried = [&fast[..], &["--hurry", "10"]].concat();
    let config = connect(&hurried, Some("mf_key")).expect("valid");
    assert_eq!((config.interval, config.hurry), (Duration::from_millis(10), 10));
}
