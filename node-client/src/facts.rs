//! What a host is: facts that do not change while it is up.

use metric_flow_protocol::node::HostFacts;

use crate::host_root::HostRoot;

/// Facts for the hello; what cannot be read is left empty.
pub fn hello_facts(_root: &HostRoot) -> HostFacts {
    HostFacts {
        client_version: env!("CARGO_PKG_VERSION").to_owned(),
        ..HostFacts::default()
    }
}
