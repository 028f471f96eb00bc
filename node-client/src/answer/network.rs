//! Interfaces and addresses.

use serde_json::{Map, Value, json};

use crate::{
    facts::{hello_facts, links},
    host_root::HostRoot,
};

/// Every interface with its state, and the host's addresses.
pub(super) fn network(root: &HostRoot) -> Map<String, Value> {
    let interfaces = links(root).into_iter().map(|link| {
        json!({
            "name": link.name,
            "mac_address": link.mac_address,
            "physical": link.physical,
            "state": link.state,
            "mtu_bytes": link.mtu_bytes,
            "speed_mbit_per_second": link.speed_mbit_per_second,
        })
    });
    let mut document = Map::new();
    document.insert("interfaces".to_owned(), interfaces.collect());
    document.insert("ip_addresses".to_owned(), json!(hello_facts(root).ip_addresses));
    document
}
