//! Which crate may depend on which: dependencies point one way.

use anyhow::{Context, Result};
use serde_json::Value;

/// What the names of our crates begin with, in manifests.
const PREFIX: &str = "metric-flow-";

/// Our crates, and those of ours that each may use.
const LAYERS: &[(&str, &[&str])] = &[
    ("protocol", &[]),
    ("lifecycle", &[]),
    ("socket-server", &["protocol", "lifecycle"]),
    ("node-client", &["protocol", "lifecycle"]),
    ("deployer", &["protocol"]),
    (
        "e2e",
        &[
            "protocol",
            "lifecycle",
            "socket-server",
            "node-client",
            "deployer",
            "bench",
        ],
    ),
    (
        "bench",
        &["protocol", "lifecycle", "socket-server", "node-client"],
    ),
    ("xtask", &["protocol"]),
];

/// Crates of others that a crate of ours must never use, and why.
const FORBIDDEN: &[(&str, &[&str], &str)] = &[
    (
        "protocol",
        &["tokio", "hyper", "warp", "tokio-tungstenite", "mongodb", "fjall"],
        "it does no IO and knows no async",
    ),
    (
        "lifecycle",
        &["warp", "mongodb", "fjall", "serde_json"],
        "it knows no domain",
    ),
    (
        "node-client",
        &["warp", "hyper", "mongodb", "bollard", "russh", "fjall"],
        "it must stay small",
    ),
    (
        "socket-server",
        &["bollard", "russh", "indicatif", "sysinfo"],
        "that is another program's work",
    ),
    (
        "deployer",
        &["warp", "mongodb", "fjall", "tokio-tungstenite", "sysinfo"],
        "that is another program's work",
    ),
];

/// Every dependency that points the wrong way.
pub(super) fn check(metadata: &Value) -> Result<Vec<String>> {
    let packages = metadata["packages"]
        .as_array()
        .context("cargo metadata lists no packages")?;
    let mut found = Vec::new();
    for package in packages {
        let name = short(package["name"].as_str().unwrap_or_default());
        let Some((_, allowed)) = LAYERS.iter().find(|(layer, _)| *layer == name) else {
            found.push(format!(
                "{name}: this crate has no place in the layers; give it one in xtask/src/tidy/layers.rs"
            ));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let full = dependency["name"].as_str().unwrap_or_default();
            let used = short(full);
            let ours = dependency["path"].is_string();
            if ours && !allowed.contains(&used) {
                found.push(format!(
                    "{name}/Cargo.toml: {name} may not use {used}; dependencies point one way"
                ));
            }
            let forbidden = FORBIDDEN
                .iter()
                .find(|(crate_name, names, _)| *crate_name == name && names.contains(&full));
            if let (Some((_, _, reason)), true) = (forbidden, dependency["kind"].is_null()) {
                found.push(format!("{name}/Cargo.toml: {name} may not use {full}: {reason}"));
            }
        }
    }
    Ok(found)
}

fn short(name: &str) -> &str {
    name.strip_prefix(PREFIX).unwrap_or(name)
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a test fails by panicking")]
mod tests {
    use serde_json::json;

    use super::*;

    fn package(name: &str, dependency: &Value) -> Value {
        json!({ "packages": [{ "name": name, "dependencies": [dependency] }] })
    }

    fn violations(name: &str, dependency: &Value) -> usize {
        check(&package(name, dependency))
            .expect("the metadata is whole")
            .len()
    }

    #[test]
    fn a_dependency_against_the_direction_is_found() {
        let ours = |name: &str| json!({ "name": name, "kind": null, "path": "/somewhere" });
        assert_eq!(
            violations("metric-flow-protocol", &ours("metric-flow-lifecycle")),
            1
        );
        assert_eq!(
            violations("metric-flow-deployer", &ours("metric-flow-socket-server")),
            1
        );
        assert_eq!(
            violations("metric-flow-node-client", &ours("metric-flow-protocol")),
            0
        );
    }

    #[test]
    fn a_crate_that_does_not_belong_is_found() {
        assert_eq!(
            violations("metric-flow-protocol", &json!({ "name": "tokio", "kind": null })),
            1
        );
        assert_eq!(
            violations("metric-flow-protocol", &json!({ "name": "tokio", "kind": "dev" })),
            0
        );
    }

    #[test]
    fn a_crate_without_a_place_is_found() {
        assert_eq!(
            violations("metric-flow-attic", &json!({ "name": "serde", "kind": null })),
            1
        );
    }
}
