//! The commands, as a person runs them.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use socket_server::store::{embedded::EmbeddedStore, retention::Retention};

use crate::fixture::{Whole, fill, whole};

fn socket_server(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_socket-server"));
    command.args(arguments).current_dir(folder);
    for name in ["METRIC_FLOW_STORE", "METRIC_FLOW_CONFIG"] {
        command.env_remove(name);
    }
    command.output().expect("runs")
}

fn succeeds(folder: &Path, arguments: &[&str]) -> String {
    let output = socket_server(folder, arguments);
    let trouble = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {trouble}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn fails(folder: &Path, arguments: &[&str]) -> String {
    let output = socket_server(folder, arguments);
    assert!(!output.status.success(), "{arguments:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

async fn open(folder: &Path) -> EmbeddedStore {
    EmbeddedStore::open(folder, Retention::default())
        .await
        .expect("opens")
}

/// Makes a store with something of everything, and returns what it holds.
async fn filled(folder: &Path) -> Whole {
    let store = open(folder).await;
    fill(&store).await;
    whole(&store).await
}

#[tokio::test]
async fn export_import_backup_and_restore_are_commands() {
    let folder = tempfile::tempdir().expect("makes a folder");
    let folder = folder.path();
    let store = open(&folder.join("a")).await;
    fill(&store).await;
    let expected = whole(&store).await;
    let held = fails(folder, &["export", "file", "--store", "embedded:a"]);
    assert!(held.contains("is open in another process"), "{held}");
    let held = fails(folder, &["backup", "kept", "--store", "embedded:a"]);
    assert!(held.contains("is open in another process"), "{held}");
    drop(store);

    let exported = succeeds(folder, &["export", "file", "--store", "embedded:a"]);
    assert!(exported.contains("3 hosts\n"), "{exported}");
    let imported = succeeds(folder, &["import", "file", "--store", "embedded:b"]);
    assert!(imported.contains("3 hosts, 3 of them new\n"), "{imported}");
    let again = succeeds(folder, &["import", "file", "--store", "embedded:b"]);
    assert!(again.contains("3 hosts, 0 of them new\n"), "{again}");
    assert_eq!(whole(&open(&folder.join("b")).await).await, expected);

    succeeds(folder, &["backup", "kept", "--store", "embedded:a"]);
    succeeds(folder, &["restore", "kept", "--store", "embedded:c"]);
    assert_eq!(whole(&open(&folder.join("c")).await).await, expected);

    let missing = fails(folder, &["export", "other", "--store", "embedded:nowhere"]);
    assert!(missing.contains("there is no Metric Flow store"), "{missing}");
    assert!(!folder.join("nowhere").exists());
    let memory = fails(folder, &["export", "other", "--store", "memory"]);
    assert!(memory.contains("ends with its server"), "{memory}");
    std::fs::write(folder.join("letter"), "dear reader").expect("writes");
    let letter = fails(folder, &["import", "letter", "--store", "embedded:d"]);
    assert!(letter.contains("is no export of Metric Flow"), "{letter}");
    assert!(!folder.join("d").exists());
}

/// A running server, killed at the end of the test.
struct Running(Child);

impl Running {
    fn on(folder: &Path, store: &str) -> Self {
        let mut server = Command::new(env!("CARGO_BIN_EXE_socket-server"))
            .args(["serve", "--listen", "127.0.0.1:0", "--store", store])
            .current_dir(folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("starts");
        let mut line = String::new();
        let output = server.stdout.take().expect("its output");
        BufReader::new(output).read_line(&mut line).expect("reads");
        assert!(line.starts_with("listening on"), "{line}");
        Self(server)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[tokio::test]
async fn a_running_server_exports_its_embedded_store_and_a_killed_one_leaves_no_trace_in_a_backup() {
    let folder = tempfile::tempdir().expect("makes a folder");
    let folder = folder.path();
    filled(&folder.join("a")).await;

    let server = Running::on(folder, "embedded:a");
    let exported = succeeds(folder, &["export", "live", "--store", "embedded:a"]);
    assert!(exported.contains("3 hosts\n"), "{exported}");
    let again = fails(folder, &["export", "live", "--store", "embedded:a"]);
    assert!(again.contains("live"), "{again}");
    let mode = std::fs::metadata(folder.join("a/server.sock"))
        .expect("a socket")
        .permissions();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777, 0o600);
    drop(server);

    let imported = succeeds(folder, &["import", "live", "--store", "embedded:b"]);
    assert!(imported.contains("3 hosts, 3 of them new\n"), "{imported}");
    assert!(folder.join("a/server.sock").exists(), "it was killed");
    succeeds(folder, &["backup", "kept", "--store", "embedded:a"]);
    succeeds(folder, &["restore", "kept", "--store", "embedded:c"]);
    drop(Running::on(folder, "embedded:c"));
    drop(Running::on(folder, "embedded:a"));
}

#[tokio::test]
async fn a_running_server_is_backed_up_and_serves_on() {
    let folder = tempfile::tempdir().expect("makes a folder");
    let folder = folder.path();
    let expected = filled(&folder.join("a")).await;

    let server = Running::on(folder, "embedded:a");
    let made = succeeds(folder, &["backup", "kept", "--store", "embedded:a"]);
    assert!(made.contains(" files, "), "{made}");
    let again = fails(folder, &["backup", "kept", "--store", "embedded:a"]);
    assert!(again.contains("kept exists already"), "{again}");
    succeeds(folder, &["export", "live", "--store", "embedded:a"]);
    drop(server);

    let restored = succeeds(folder, &["restore", "kept", "--store", "embedded:b"]);
    assert_eq!(restored, made);
    assert_eq!(whole(&open(&folder.join("b")).await).await, expected);
    let secret = |store: &str| std::fs::read(folder.join(store).join("token-secret")).expect("reads");
    assert_eq!(secret("b"), secret("a"));
}

#[tokio::test]
async fn a_backup_whose_command_is_killed_is_whole_or_not_there_at_all() {
    let folder = tempfile::tempdir().expect("makes a folder");
    let folder = folder.path();
    let expected = filled(&folder.join("a")).await;

    let _server = Running::on(folder, "embedded:a");
    let mut command = Command::new(env!("CARGO_BIN_EXE_socket-server"))
        .args(["backup", "kept", "--store", "embedded:a"])
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("starts");
    command.kill().expect("kills");
    command.wait().expect("is gone");
    // Callers are answered one after the other: this one comes after the end of the other, whatever that was.
    succeeds(folder, &["backup", "next", "--store", "embedded:a"]);
    for name in ["kept", "next"] {
        if folder.join(name).exists() {
            succeeds(folder, &["restore", name, "--store", "embedded:b"]);
            assert_eq!(whole(&open(&folder.join("b")).await).await, expected);
            std::fs::remove_dir_all(folder.join("b")).expect("removes");
        }
    }
}
