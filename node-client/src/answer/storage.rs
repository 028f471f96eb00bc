//! Disks and file systems.

use std::fs;

use serde_json::{Map, Value, json};

use crate::{collect::Sampler, host_root::HostRoot};

/// Each physical disk with what the kernel knows of it, and each file system with how full it is.
pub(super) fn disks(root: &HostRoot) -> Map<String, Value> {
    let sample = Sampler::new(root.clone()).read();
    let disks = sample.disks.iter().map(|disk| {
        let read = |file: &str| {
            let content = fs::read(root.sys("block").join(&disk.name).join(file)).unwrap_or_default();
            let text = String::from_utf8_lossy(&content).trim().to_owned();
            (!text.is_empty()).then_some(text)
        };
        json!({
            "name": disk.name,
            "model": read("device/model"),
            "vendor": read("device/vendor"),
            // The kernel counts a disk's size in units of 512 bytes, whatever its own sectors are.
            "size_bytes": read("size").and_then(|sectors| sectors.parse::<u64>().ok()?.checked_mul(512)),
            "rotates": read("queue/rotational").map(|flag| flag == "1"),
            "removable": read("removable").map(|flag| flag == "1"),
        })
    });
    let mut document = Map::new();
    document.insert("disks".to_owned(), disks.collect());
    document.insert("file_systems".to_owned(), json!(sample.file_systems));
    document
}
