//! The keys that are carried out. Anything else that stands in the file is an error with its path.

use serde_yaml::{Mapping, Value};

use crate::inventory::nearest;

/// Keys at the top.
pub(super) const TOP: &[&str] = &[
    "version", "name", "services", "volumes", "networks", "secrets", "configs",
];

/// Keys of a service.
pub(super) const SERVICE: &[&str] = &[
    "image",
    "build",
    "command",
    "entrypoint",
    "environment",
    "env_file",
    "secrets",
    "configs",
    "ports",
    "expose",
    "volumes",
    "networks",
    "network_mode",
    "pid",
    "privileged",
    "cap_add",
    "cap_drop",
    "security_opt",
    "user",
    "read_only",
    "tmpfs",
    "restart",
    "healthcheck",
    "depends_on",
    "labels",
    "logging",
    "ulimits",
    "deploy",
    "init",
    "hostname",
    "working_dir",
    "stop_signal",
    "stop_grace_period",
    "mem_limit",
    "cpus",
    "pids_limit",
    "profiles",
    "x-firewall",
];

/// Keys that change nothing about a container on a host, so passing over them is honest.
const WITHOUT_MEANING: &[&str] = &[
    "container_name",
    "pull_policy",
    "attach",
    "develop",
    "stdin_open",
    "tty",
];

const DEPLOY: &[&str] = &[
    "mode",
    "replicas",
    "placement",
    "update_config",
    "rollback_config",
    "resources",
];
const PLACEMENT: &[&str] = &["constraints"];
const UPDATE: &[&str] = &[
    "parallelism",
    "delay",
    "order",
    "monitor",
    "failure_action",
    "max_failure_ratio",
];
const RESOURCES: &[&str] = &["limits"];
const LIMITS: &[&str] = &["cpus", "memory", "pids"];
const BUILD: &[&str] = &["context", "dockerfile", "args", "target"];
const HEALTHCHECK: &[&str] = &[
    "test",
    "interval",
    "timeout",
    "retries",
    "start_period",
    "disable",
];
const FIREWALL: &[&str] = &["sources", "closed"];
const VOLUME: &[&str] = &["name"];
const NETWORK: &[&str] = &["name", "driver"];
/// Keys of a secret or config where a service uses it.
const USED_FILE: &[&str] = &["source", "target", "mode"];
/// Keys of a network where a service joins it.
const JOINED_NETWORK: &[&str] = &["aliases"];
const LONG_PORT: &[&str] = &[
    "name",
    "target",
    "published",
    "host_ip",
    "protocol",
    "app_protocol",
    "mode",
];
const LONG_MOUNT: &[&str] = &["type", "source", "target", "read_only", "bind", "volume", "tmpfs"];
const BIND: &[&str] = &["propagation", "selinux", "create_host_path"];
const TMPFS: &[&str] = &["size"];
/// Why a key is refused that other tools carry out, and what to write in its place.
const INSTEAD: &[(&str, &str)] = &[
    (
        "deploy.labels",
        "a service as such has no labels here; `labels` beside `deploy` gives them to its containers",
    ),
    (
        "deploy.endpoint_mode",
        "there is no virtual address in front of a service",
    ),
    (
        "resources.reservations",
        "nothing is set aside on a host; `limits` are carried out",
    ),
    (
        "labels",
        "volumes and networks carry the deployer's own labels only",
    ),
];
const FILE: &[&str] = &["file", "environment", "content", "x-enrolment"];

/// Finds every key that would be passed over.
pub(super) fn check(root: &Value, problems: &mut Vec<String>) {
    let Some(root) = root.as_mapping() else {
        problems.push("the file is not a mapping with `services`".to_owned());
        return;
    };
    known(root, "", TOP, problems);
    each(root, "services", |path, service| {
        known_but(service, path, SERVICE, WITHOUT_MEANING, problems);
        within(service, path, "deploy", |path, deploy| {
            known(deploy, path, DEPLOY, problems);
            within(deploy, path, "placement", |path, map| {
                known(map, path, PLACEMENT, problems)
            });
            within(deploy, path, "update_config", |path, map| {
                known(map, path, UPDATE, problems)
            });
            within(deploy, path, "rollback_config", |path, map| {
                known(map, path, UPDATE, problems)
            });
            within(deploy, path, "resources", |path, resources| {
                known(resources, path, RESOURCES, problems);
                within(resources, path, "limits", |path, map| {
                    known(map, path, LIMITS, problems)
                });
            });
        });
        within(service, path, "build", |path, map| {
            known(map, path, BUILD, problems)
        });
        for key in ["secrets", "configs"] {
            items(service, path, key, |path, map| {
                known(map, path, USED_FILE, problems)
            });
        }
        items(service, path, "ports", |path, map| {
            known(map, path, LONG_PORT, problems)
        });
        items(service, path, "volumes", |path, map| {
            known(map, path, LONG_MOUNT, problems);
            within(map, path, "bind", |path, map| known(map, path, BIND, problems));
            within(map, path, "tmpfs", |path, map| known(map, path, TMPFS, problems));
            within(map, path, "volume", |path, map| known(map, path, &[], problems));
        });
        within(service, path, "networks", |path, networks| {
            for (name, map) in networks {
                if let (Some(name), Some(map)) = (name.as_str(), map.as_mapping()) {
                    known(map, &format!("{path}.{name}"), JOINED_NETWORK, problems);
                }
            }
        });
        within(service, path, "healthcheck", |path, map| {
            known(map, path, HEALTHCHECK, problems)
        });
        within(service, path, "x-firewall", |path, map| {
            known(map, path, FIREWALL, problems)
        });
    });
    each(root, "volumes", |path, map| known(map, path, VOLUME, problems));
    each(root, "networks", |path, map| known(map, path, NETWORK, problems));
    each(root, "secrets", |path, map| known(map, path, FILE, problems));
    each(root, "configs", |path, map| known(map, path, FILE, problems));
}

fn each(root: &Mapping, key: &str, mut check: impl FnMut(&str, &Mapping)) {
    for (name, item) in root.get(key).and_then(Value::as_mapping).into_iter().flatten() {
        if let (Some(name), Some(item)) = (name.as_str(), item.as_mapping()) {
            check(&format!("{key}.{name}"), item);
        }
    }
}

fn within(map: &Mapping, path: &str, key: &str, check: impl FnOnce(&str, &Mapping)) {
    if let Some(inner) = map.get(key).and_then(Value::as_mapping) {
        check(&format!("{path}.{key}"), inner);
    }
}

/// The mappings in a list, each with its place in it.
fn items(map: &Mapping, path: &str, key: &str, mut check: impl FnMut(&str, &Mapping)) {
    let list = map.get(key).and_then(Value::as_sequence);
    for (index, item) in list.into_iter().flatten().enumerate() {
        if let Some(item) = item.as_mapping() {
            check(&format!("{path}.{key}[{index}]"), item);
        }
    }
}

fn known(map: &Mapping, path: &str, keys: &[&str], problems: &mut Vec<String>) {
    known_but(map, path, keys, &[], problems);
}

fn known_but(map: &Mapping, path: &str, keys: &[&str], harmless: &[&str], problems: &mut Vec<String>) {
    for key in map.keys() {
        let Some(key) = key.as_str() else {
            problems.push(format!("{path}: a key must be a string"));
            continue;
        };
        // Other people's extensions mean nothing to us by definition.
        if keys.contains(&key) || harmless.contains(&key) || key.starts_with("x-") {
            continue;
        }
        let dot = if path.is_empty() { "" } else { "." };
        let place = format!("{path}{dot}{key}");
        let instead = INSTEAD.iter().find(|(end, _)| {
            place
                .strip_suffix(end)
                .is_some_and(|before| before.ends_with('.'))
        });
        let advice = match (instead, nearest(key, keys)) {
            (Some((_, advice)), _) => (*advice).to_owned(),
            (None, Some(near)) => format!("did you mean `{near}`?"),
            (None, None) => "this deployer does not carry it out, and will not ignore it".to_owned(),
        };
        problems.push(format!("{place}: unsupported key; {advice}"));
    }
}
