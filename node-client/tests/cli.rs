//! The program as a person uses it.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::{
    process::{Command, Output},
    time::{SystemTime, UNIX_EPOCH},
};

use node_client::health::{ClientState, write_state};

/// Runs the program without any variable of ours; returns its end.
fn run(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_node-client"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("METRIC_FLOW_") {
            command.env_remove(name);
        }
    }
    command
        .args(arguments)
        .envs(variables.iter().copied())
        .output()
        .expect("the program runs")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

fn unix_ms() -> i64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a clock after 1970");
    i64::try_from(now.as_millis()).expect("milliseconds fit")
}

#[test]
fn version_and_help_go_to_standard_output() {
    let version = run(&["--version"], &[]);
    assert_eq!(
        stdout(&version),
        format!("node-client {}\n", env!("CARGO_PKG_VERSION"))
    );
    let help = stdout(&run(&["--help"], &[]));
    for word in ["connect", "print", "healthcheck", "completions"] {
        assert!(help.contains(word), "{word} is missing in\n{help}");
    }
    let connect = stdout(&run(&["connect", "--help"], &[]));
    assert!(connect.contains("METRIC_FLOW_API_KEY"), "{connect}");
}

#[test]
fn completions_are_written_for_each_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = run(&["completions", shell], &[]);
        assert!(output.status.success());
        assert!(stdout(&output).contains("api-key-file"), "{shell}");
    }
}

#[test]
fn a_key_is_no_argument() {
    let output = run(
        &[
            "connect",
            "--server",
            "http://127.0.0.1:1",
            "--api-key",
            "mf_secret",
        ],
        &[],
    );
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn every_problem_of_the_configuration_is_told_at_once() {
    let arguments = [
        "connect",
        "--server",
        "ftp://host",
        "--label",
        "role",
        "--interval-ms",
        "5",
        "--ca-file",
        "/none",
    ];
    let output = run(&arguments, &[]);
    assert_eq!(output.status.code(), Some(2));
    let message = stderr(&output);
    for part in [
        "ftp://host",
        "API key",
        "--label role",
        "--interval-ms 5",
        "--ca-file /none",
        "hint:",
    ] {
        assert!(message.contains(part), "{part} is missing in\n{message}");
    }
}

#[test]
fn a_secret_does_not_appear_in_a_message() {
    let variables = [("METRIC_FLOW_API_KEY", "mf_secret")];
    let output = run(&["connect", "--server", "http://me:mf_other@host"], &variables);
    assert_eq!(output.status.code(), Some(2));
    let message = stderr(&output) + &stdout(&output);
    assert!(
        !message.contains("mf_secret") && !message.contains("mf_other"),
        "{message}"
    );
}

#[test]
fn print_shows_a_host_through_its_mounted_trees() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/trees/rocky-server");
    let output = run(&["print", "--json", "--host-root", root], &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    let document: serde_json::Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    assert_eq!(document["machine_identity"].as_str().map(str::len), Some(64));
    if cfg!(target_os = "linux") {
        assert_eq!(document["facts"]["host_name"], "db-1.example.org");
        assert_eq!(document["sample"]["memory"]["total_bytes"], 16_000_000_u64 * 1024);
        let table = stdout(&run(&["print", "--host-root", root], &[]));
        assert!(
            table.contains("db-1.example.org") && table.contains("nvme0n1"),
            "{table}"
        );
    }
}

#[test]
fn healthcheck_asks_the_running_client() {
    let folder = tempfile::tempdir().expect("temp folder");
    let spool = folder.path().to_str().expect("a path in UTF-8");
    let missing = run(&["healthcheck", "--spool-dir", spool], &[]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(stderr(&missing).contains("state.json"));

    // Stamped ahead of now, so that a slow machine does not make it old before the program reads it.
    let soon = unix_ms() + 600_000;
    let state = ClientState {
        written_unix_ms: soon,
        last_sample_unix_ms: soon,
        server: "http://server:8000/".to_owned(),
        problem: "connection refused".to_owned(),
        ..ClientState::default()
    };
    write_state(folder.path(), &state).expect("write");
    let cut_off = run(&["healthcheck"], &[("METRIC_FLOW_SPOOL_DIR", spool)]);
    assert!(cut_off.status.success(), "{}", stderr(&cut_off));
    assert!(stdout(&cut_off).contains("connection refused"));
    let strict = run(&["healthcheck", "--connected", "--spool-dir", spool], &[]);
    assert_eq!(strict.status.code(), Some(1));

    write_state(
        folder.path(),
        &ClientState {
            written_unix_ms: unix_ms() - 3_600_000,
            ..state
        },
    )
    .expect("write");
    let silent = run(&["healthcheck", "--spool-dir", spool], &[]);
    assert_eq!(silent.status.code(), Some(1));
    assert!(
        stderr(&silent).contains("stopped or is stuck"),
        "{}",
        stderr(&silent)
    );
}
