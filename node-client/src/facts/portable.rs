//! Facts of a host that is not Linux, from sysinfo.

use metric_flow_protocol::node::HostFacts;
use sysinfo::{Networks, System};

use super::CLIENT_VERSION;
use crate::host_root::HostRoot;

/// Facts for the hello; what the system does not say is left empty.
pub fn hello_facts(_root: &HostRoot) -> HostFacts {
    let mut facts = HostFacts {
        host_name: System::host_name().unwrap_or_default(),
        os: System::long_os_version().unwrap_or_default(),
        kernel: System::kernel_version().unwrap_or_default(),
        architecture: System::cpu_arch(),
        boot_unix_ms: System::boot_time()
            .ok()
            .and_then(|seconds| i64::try_from(seconds).ok())
            .unwrap_or(0)
            .saturating_mul(1_000),
        client_version: CLIENT_VERSION.to_owned(),
        ..HostFacts::default()
    };
    if let Ok(mut system) = System::new() {
        system.refresh_cpu_all();
        system.refresh_memory();
        facts.cpu_model = system
            .cpus()
            .first()
            .map(|cpu| cpu.brand().to_owned())
            .unwrap_or_default();
        facts.cpu_cores = u32::try_from(system.cpus().len()).unwrap_or(u32::MAX);
        facts.memory_total_bytes = system.total_memory();
    }
    if let Ok(networks) = Networks::new_with_refreshed_list() {
        for (_, data) in &networks {
            let addresses = data.ip_networks().iter().map(|network| network.addr);
            let addresses: Vec<_> = addresses.filter(|address| !address.is_loopback()).collect();
            if !addresses.is_empty() {
                facts.mac_addresses.push(data.mac_address().to_string());
                facts
                    .ip_addresses
                    .extend(addresses.iter().map(ToString::to_string));
            }
        }
        facts.mac_addresses.sort();
        facts.ip_addresses.sort();
    }
    facts
}
