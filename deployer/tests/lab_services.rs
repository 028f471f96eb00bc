//! The project's own compose.yaml on three hosts, MongoDB and all: every host is enrolled, a person's browser shows all of
//! them live, keys change under way, and afterwards the hosts are as they were.
//!
//! Needs root, Podman, Chromium, and the images that the suite `containers` builds; `cargo xtask test` runs both.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "other tests need the rest")]
mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;
use support::{
    stage::{Stage, said},
    wait::eventually,
};

/// The tag of the images that the suite `containers` builds.
const TAG: &str = "test";
/// The image of the `mongodb` service: the real one, or the stand-in that the suite `containers` makes in its place.
const MONGODB: &str = "docker.io/library/mongo:8";
/// Far beyond what the services need on a machine that is busy with other tests.
const PATIENCE: &str = "\n[lab]\nhealth_timeout_seconds = 400\nstep_timeout_seconds = 300\n";
const HOSTS: [&str; 3] = ["node1", "node2", "node3"];
/// All that a rollout may leave behind on a host.
const TRACES: &str = "podman ps --all --format '{{.Names}}'; podman images --all --format '{{.ID}} {{.Repository}}'; \
    podman network ls --format '{{.Name}}'; podman volume ls --format '{{.Name}}'; \
    for when in '' --permanent; do for what in ports rich-rules services; do firewall-cmd $when --zone=public --list-$what; done; done; \
    systemctl is-enabled podman-restart.service; find /home/deploy /etc/systemd /etc/containers ! -type d | sort";

/// A copy of the project's own Compose file, with the images that the suite `containers` has built.
fn stage() -> Stage {
    let ours = ["socket-server", "node-client"].map(|target| format!("localhost/metric-flow/{target}:{TAG}"));
    for image in ours.iter().map(String::as_str).chain([MONGODB]) {
        let there = Command::new("podman")
            .args(["image", "exists", image])
            .status()
            .expect("podman");
        assert!(
            there.success(),
            "{image} is missing: run `cargo xtask test --only containers` first"
        );
    }
    let mut stage = Stage::new("services");
    let compose = Path::new(env!("CARGO_MANIFEST_DIR")).join("../compose.yaml");
    let text = fs::read_to_string(compose).expect("the project's Compose file");
    stage.write("compose.yaml", format!("name: {}\n{text}", stage.name));
    stage.set("METRIC_FLOW_TAG", TAG);
    stage
}

/// Where the account is that the rollout made and wrote down.
fn account_file(stage: &Stage) -> PathBuf {
    let written = find(&stage.lab_folder().join(".deployer"), "account.json");
    written.expect("the account is written down")
}

/// A person logs in and sees these hosts live.
fn a_browser_shows(server: &str, account: &Path, hosts: &[&str]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../e2e/browser");
    assert!(
        folder.join("node_modules").exists(),
        "the browser's tools are missing: run `cargo xtask test --only lab`, or `npm ci` in e2e/browser"
    );
    let looked = Command::new("node")
        .args(["src/look.js", server])
        .arg(account)
        .args(hosts)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .expect("node runs");
    assert!(looked.status.success(), "{}", said(&looked));
}

/// What there is on each host.
fn traces(stage: &Stage) -> Vec<String> {
    let listed = HOSTS.map(|host| stage.as_root(host, TRACES));
    listed.map(|listed| said(&listed)).to_vec()
}

/// The visible part of each host's key.
fn keys(stage: &Stage) -> BTreeMap<String, String> {
    let listed = stage.deployer("keys", &["list", "--json"]);
    assert!(listed.status.success(), "{}", said(&listed));
    let listed: Vec<Value> = serde_json::from_slice(&listed.stdout).expect("a list of keys");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let keys = listed
        .iter()
        .map(|key| (text(&key["label"]), text(&key["prefix"])));
    keys.collect()
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

#[test]
fn the_projects_own_services_run_on_three_hosts_and_a_browser_shows_all_of_them_live() {
    let stage = stage();
    stage.up(HOSTS.len());
    let hosts = fs::read_to_string(stage.hosts_file()).expect("hosts.toml");
    fs::write(stage.hosts_file(), hosts + PATIENCE).expect("hosts.toml");
    let before = traces(&stage);

    stage.ends("rollout", &[], 0);
    let server = format!("http://{}:8000", stage.address_of("node1"));
    let file = account_file(&stage);
    let account = fs::read_to_string(&file).expect("readable");
    let token = eventually("the account logs in", || {
        let answer = ask("POST", &format!("{server}/api/v1/login"), None, Some(&account))?;
        Some(answer["access_token"].as_str()?.to_owned())
    });
    let live = || -> Option<BTreeSet<String>> {
        let answer = ask("GET", &format!("{server}/api/v1/hosts"), Some(&token), None)?;
        let hosts = answer["hosts"].as_array()?.iter();
        let live = hosts.filter(|host| host["online"] == Value::Bool(true) && !host["latest"].is_null());
        let names: BTreeSet<String> = live
            .filter_map(|host| Some(host["name"].as_str()?.to_owned()))
            .collect();
        (names.len() == HOSTS.len()).then_some(names)
    };
    let names = eventually("three hosts are online", live);
    assert!(HOSTS.iter().all(|host| names.contains(*host)), "{names:?}");
    a_browser_shows(&server, &file, &HOSTS);

    let again = stage.ends("rollout", &[], 0);
    assert!(again.contains("nothing to do"), "{again}");

    // One host gets a new key: its samples go on, the old key is gone, and nobody else notices.
    let first = keys(&stage);
    assert_eq!(first.keys().map(String::as_str).collect::<Vec<_>>(), HOSTS);
    let rotated = stage.ends("keys", &["rotate", "--host", "node3"], 0);
    assert!(
        rotated.contains(&format!("node3: {} is revoked", first["node3"])),
        "{rotated}"
    );
    let second = keys(&stage);
    assert_ne!(first["node3"], second["node3"]);
    assert_eq!(
        (&first["node1"], &first["node2"]),
        (&second["node1"], &second["node2"])
    );
    eventually("three hosts are online again", live);
    let again = stage.ends("rollout", &[], 0);
    assert!(again.contains("nothing to do"), "{again}");

    stage.ends("down", &["--volumes"], 0);
    assert!(
        ask("GET", &format!("{server}/healthz"), None, None).is_none(),
        "the server still answers"
    );
    assert_eq!(traces(&stage), before);
}
