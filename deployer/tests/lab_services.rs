//! The project's own compose.embedded.yaml on three hosts: every host is enrolled, and a person sees all of them live.
//!
//! Needs root, Podman, and the images that the suite `containers` builds; `cargo xtask test` runs both.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "other tests need the rest")]
mod support;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;
use support::{stage::Stage, wait::eventually};

/// The tag of the images that the suite `containers` builds.
const TAG: &str = "test";

/// A copy of the project's own Compose file, with the images that the suite `containers` has built.
fn stage() -> Stage {
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
    let mut stage = Stage::new("services");
    let compose = Path::new(env!("CARGO_MANIFEST_DIR")).join("../compose.embedded.yaml");
    let text = fs::read_to_string(compose).expect("the project's Compose file");
    stage.write("compose.yaml", format!("name: {}\n{text}", stage.name));
    stage.set("METRIC_FLOW_TAG", TAG);
    stage
}

/// The account that the rollout made and wrote down.
fn account(stage: &Stage) -> Value {
    let written = find(&stage.lab_folder().join(".deployer"), "account");
    let written = written.expect("the account is written down");
    serde_json::from_str(&fs::read_to_string(written).expect("readable")).expect("JSON")
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
fn the_projects_own_services_run_on_three_hosts_and_show_all_of_them_live() {
    let stage = stage();
    stage.up(3);

    stage.ends("rollout", &[], 0);
    let server = format!("http://{}:8000", stage.address_of("node1"));
    let account = account(&stage).to_string();
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

    let again = stage.ends("rollout", &[], 0);
    assert!(again.contains("nothing to do"), "{again}");
    stage.ends("down", &[], 0);
    assert!(
        ask("GET", &format!("{server}/healthz"), None, None).is_none(),
        "the server still answers"
    );
}
