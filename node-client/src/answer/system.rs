//! The operating system, as it describes itself.

use std::fs;

use serde_json::{Map, Value, json};

use crate::{facts::hello_facts, host_root::HostRoot};

/// The facts of the hello, the fields of os-release(5), and how long the host has been up.
pub(super) fn os(root: &HostRoot) -> Map<String, Value> {
    let read = |path| String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned();
    let release: Map<String, Value> = read(root.join("etc/os-release"))
        .lines()
        .filter_map(|line| {
            let (name, value) = line.split_once('=')?;
            Some((
                name.trim().to_lowercase(),
                json!(value.trim().trim_matches(['"', '\''])),
            ))
        })
        .collect();
    let uptime: Option<f64> = read(root.proc("uptime"))
        .split_whitespace()
        .next()
        .and_then(|first| first.parse().ok());
    let mut document = Map::new();
    document.insert("facts".to_owned(), json!(hello_facts(root)));
    document.insert("os_release".to_owned(), Value::Object(release));
    document.insert("uptime_seconds".to_owned(), json!(uptime));
    document
}
