//! The program as a person starts it.
#![cfg(unix)]

use std::{net::TcpListener, process::Command};

#[test]
fn a_port_that_is_taken_is_said_and_leaves_no_folder_behind() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address").to_string();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = folder.path().join("store");
    let ended = Command::new(env!("CARGO_BIN_EXE_socket-server"))
        .args(["serve", "--listen", &address, "--store"])
        .arg(format!("embedded:{}", store.display()))
        .output()
        .expect("starts");
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(!ended.status.success());
    assert!(
        said.contains("another program has that port") && said.contains("--listen"),
        "{said}"
    );
    assert!(
        !said.contains('\u{1b}'),
        "no colours where nobody sees them: {said}"
    );
    assert!(!store.exists());
}

#[test]
fn settings_that_would_mean_nothing_are_refused() {
    let ended = Command::new(env!("CARGO_BIN_EXE_socket-server"))
        .args([
            "check-config",
            "--log-filter",
            "[[[",
            "--shutdown-seconds",
            "18446744073709551615",
        ])
        .args(["--store", "embedded:", "--trusted-proxy", "0.0.0.0/0"])
        .output()
        .expect("starts");
    let said = String::from_utf8_lossy(&ended.stderr);
    for part in [
        "--log-filter: `[[[`",
        "--shutdown-seconds: `18446744073709551615`",
        "it looks like embedded:FOLDER|mongodb://ADDRESS|memory",
        "--trusted-proxy: `0.0.0.0/0`",
    ] {
        assert!(said.contains(part), "{part} is not in: {said}");
    }
    assert_eq!(ended.status.code(), Some(78));
}
