//! The project's own compose.yaml on three hosts: every host is enrolled, and a person sees all of them live.
//!
//! Needs root, Podman, and the images that the suite `containers` builds; `cargo xtask test` runs both.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use serde_json::Value;

/// The tag of the images that the suite `containers` builds.
const TAG: &str = "test";
/// Far beyond what a busy machine needs.
const PATIENCE: Duration = Duration::from_secs(120);

/// A lab and a copy of the project's Compose file, both gone at the end of the test however that ends.
struct Stage {
    name: String,
    place: tempfile::TempDir,
}

impl Stage {
    fn new() -> Self {
        for target in ["socket-server", "node-client"] {
            let image = format!("localhost/metric-flow/{target}:{TAG}");
            let there = Command::new("podman")
                .args(["image", "exists", &image])
                .status()
                .expect("podman");
            assert!(
                there.success(),
                "{image} is missing: run `cargo xtask test --only containers` first"
            );
        }
        let place = tempfile::tempdir().expect("a folder");
        let compose = Path::new(env!("CARGO_MANIFEST_DIR")).join("../compose.yaml");
        let text = fs::read_to_string(compose).expect("the project's Compose file");
        let name = format!("s{}", std::process::id());
        fs::write(place.path().join("compose.yaml"), format!("name: {name}\n{text}")).expect("a copy");
        Self { name, place }
    }

    fn deployer(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_deployer"))
            .args(arguments)
            .current_dir(self.place.path())
            .env("METRIC_FLOW_TAG", TAG)
            .stdin(Stdio::null())
            .output()
            .expect("the deployer runs")
    }

    fn lab(&self, verb: &str, arguments: &[&str]) -> Output {
        let folder = self.folder().display().to_string();
        let mut all = vec!["lab", verb, "--name", &self.name, "--folder", &folder];
        all.extend(arguments);
        self.deployer(&all)
    }

    fn folder(&self) -> PathBuf {
        self.place.path().join("lab")
    }

    /// Runs a verb on the lab and holds it to its exit status.
    fn ends(&self, verb: &str, status: i32) -> String {
        let hosts = self.folder().join("hosts.toml").display().to_string();
        let output = self.deployer(&[verb, "--hosts", &hosts]);
        assert_eq!(output.status.code(), Some(status), "{verb}: {}", said(&output));
        said(&output)
    }

    /// Address of the host that runs the server: the first.
    fn server(&self) -> String {
        let hosts = fs::read_to_string(self.folder().join("hosts.toml")).expect("hosts.toml");
        let hosts: toml::Table = hosts.parse().expect("TOML");
        hosts["hosts"][0]["address"]
            .as_str()
            .expect("an address")
            .to_owned()
    }

    /// The account that the rollout made and wrote down.
    fn account(&self) -> Value {
        let written = find(&self.folder().join(".deployer"), "account")
            .or_else(|| find(self.place.path(), "account"))
            .expect("the account is written down");
        serde_json::from_str(&fs::read_to_string(written).expect("readable")).expect("JSON")
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.lab("down", &[]);
    }
}

fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    let mut entries = fs::read_dir(folder).ok()?.flatten();
    entries.find_map(|entry| {
        let path = entry.path();
        if path.is_dir() {
            find(&path, name)
        } else {
            entry
                .file_name()
                .to_string_lossy()
                .starts_with(name)
                .then_some(path)
        }
    })
}

fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}{}", text(&output.stdout), text(&output.stderr))
}

/// Asks the server's API with curl; `None` while it does not answer.
fn ask(method: &str, url: &str, token: Option<&str>, body: Option<&str>) -> Option<Value> {
    let mut curl = Command::new("curl");
    curl.args([
        "--silent",
        "--fail-with-body",
        "--max-time",
        "30",
        "--request",
        method,
    ]);
    curl.args(["--header", "content-type: application/json"]);
    if let Some(token) = token {
        curl.args(["--header", &format!("authorization: Bearer {token}")]);
    }
    if let Some(body) = body {
        curl.args(["--data", body]);
    }
    let output = curl.arg(url).stdin(Stdio::null()).output().expect("curl");
    if output.status.success() {
        serde_json::from_slice(&output.stdout).ok()
    } else {
        None
    }
}

fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(
            Instant::now() < deadline,
            "not in {} s: {what}",
            PATIENCE.as_secs()
        );
        sleep(Duration::from_millis(200));
    }
}

#[test]
fn the_projects_own_services_run_on_three_hosts_and_show_all_of_them_live() {
    let stage = Stage::new();
    let up = stage.lab("up", &["--hosts", "3", "--base", "debian"]);
    assert!(up.status.success(), "{}", said(&up));

    stage.ends("rollout", 0);
    let server = format!("http://{}:8000", stage.server());
    let account = stage.account().to_string();
    let token = eventually("the account logs in", || {
        let answer = ask("POST", &format!("{server}/api/v1/login"), None, Some(&account))?;
        Some(answer["access_token"].as_str()?.to_owned())
    });
    let names = eventually("three hosts are online", || {
        let answer = ask("GET", &format!("{server}/api/v1/hosts"), Some(&token), None)?;
        let hosts = answer["hosts"].as_array()?.clone();
        let live = |host: &&Value| host["online"] == Value::Bool(true) && !host["latest"].is_null();
        let names: Vec<String> = hosts
            .iter()
            .filter(live)
            .map(|host| host["name"].to_string())
            .collect();
        (names.len() == 3).then_some(names)
    });
    assert_eq!(
        names.iter().collect::<std::collections::BTreeSet<_>>().len(),
        3,
        "{names:?}"
    );

    let again = stage.ends("rollout", 0);
    assert!(again.contains("nothing to do"), "{again}");
    stage.ends("down", 0);
    assert!(
        ask("GET", &format!("{server}/healthz"), None, None).is_none(),
        "the server still answers"
    );
}
