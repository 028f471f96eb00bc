//! Facts of a Linux host, from its own file trees.

use std::fs;

use metric_flow_protocol::node::HostFacts;

use super::{CLIENT_VERSION, addresses};
use crate::host_root::HostRoot;

/// Facts for the hello; what cannot be read is left empty.
pub fn hello_facts(root: &HostRoot) -> HostFacts {
    let cpuinfo = read(root.proc("cpuinfo"));
    let machine = rustix::system::uname();
    let architecture = machine.machine().to_string_lossy().into_owned();
    HostFacts {
        host_name: host_name(root),
        os: os_name(&read(root.join("etc/os-release"))).unwrap_or_else(|| "Linux".to_owned()),
        kernel: read(root.proc("sys/kernel/osrelease")).trim().to_owned(),
        cpu_model: cpu_model(&cpuinfo).unwrap_or_else(|| architecture.clone()),
        architecture,
        cpu_cores: count_cores(&read(root.proc("stat"))),
        cpu_clock_max_mhz: read(root.sys("devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq"))
            .trim()
            .parse::<u32>()
            .ok()
            .map(|kilohertz| kilohertz / 1_000),
        memory_total_bytes: memory_total_bytes(&read(root.proc("meminfo"))),
        boot_unix_ms: boot_unix_ms(&read(root.proc("stat"))),
        mac_addresses: addresses::mac_addresses(root),
        ip_addresses: addresses::ip_addresses(root),
        client_version: CLIENT_VERSION.to_owned(),
    }
}

/// The host's own name. On the host itself the kernel knows best; in a container the kernel says the container's.
fn host_name(root: &HostRoot) -> String {
    let kernel = || rustix::system::uname().nodename().to_string_lossy().into_owned();
    if root.is_own() {
        return kernel();
    }
    let file = read(root.join("etc/hostname"));
    let written = file
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty() && !line.starts_with('#'));
    written.map_or_else(kernel, str::to_owned)
}

/// `PRETTY_NAME` of os-release(5), else `NAME`.
fn os_name(os_release: &str) -> Option<String> {
    let value = |key: &str| {
        let line = os_release
            .lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix('='))?;
        let plain = line.trim().trim_matches(['"', '\'']);
        (!plain.is_empty()).then(|| plain.to_owned())
    };
    value("PRETTY_NAME").or_else(|| value("NAME"))
}

/// The first name that `/proc/cpuinfo` gives: the lines differ by architecture.
fn cpu_model(cpuinfo: &str) -> Option<String> {
    ["model name", "Model", "cpu model", "Hardware", "cpu"]
        .iter()
        .find_map(|key| {
            cpuinfo.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                let value = value.trim();
                (name.trim() == *key && !value.is_empty()).then(|| value.to_owned())
            })
        })
}

fn count_cores(stat: &str) -> u32 {
    let is_core = |line: &&str| {
        line.strip_prefix("cpu")
            .is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
    };
    u32::try_from(stat.lines().filter(is_core).count()).unwrap_or(u32::MAX)
}

fn boot_unix_ms(stat: &str) -> i64 {
    let seconds = stat
        .lines()
        .find_map(|line| line.strip_prefix("btime ")?.trim().parse::<i64>().ok());
    seconds.unwrap_or(0).saturating_mul(1_000)
}

fn memory_total_bytes(meminfo: &str) -> u64 {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kibibytes.unwrap_or(0).saturating_mul(1024)
}

fn read(path: std::path::PathBuf) -> String {
    match fs::read(&path) {
        Ok(content) => String::from_utf8_lossy(&content).into_owned(),
        Err(error) => {
            tracing::debug!("a fact is missing: {}: {error}", path.display());
            String::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_os_is_named_as_it_names_itself() {
        let rocky = "NAME=\"Rocky Linux\"\nVERSION=\"9.4\"\nPRETTY_NAME=\"Rocky Linux 9.4 (Blue Onyx)\"\n";
        assert_eq!(os_name(rocky).as_deref(), Some("Rocky Linux 9.4 (Blue Onyx)"));
        assert_eq!(os_name("NAME='Void'\nPRETTY_NAME=\n").as_deref(), Some("Void"));
        assert_eq!(os_name(""), None);
    }

    #[test]
    fn a_processor_is_named_on_each_architecture() {
        let intel = "processor\t: 0\nmodel\t\t: 85\nmodel name\t: Intel(R) Xeon(R)\n";
        assert_eq!(cpu_model(intel).as_deref(), Some("Intel(R) Xeon(R)"));
        let pi = "processor\t: 0\nCPU part\t: 0xd08\n\nModel\t\t: Raspberry Pi 4 Model B Rev 1.4\n";
        assert_eq!(cpu_model(pi).as_deref(), Some("Raspberry Pi 4 Model B Rev 1.4"));
        assert_eq!(
            cpu_model("cpu\t\t: POWER9, altivec supported\n").as_deref(),
            Some("POWER9, altivec supported")
        );
    }

    #[test]
    fn numbers_that_are_missing_are_zero() {
        assert_eq!(
            (count_cores(""), boot_unix_ms("btime x"), memory_total_bytes("")),
            (0, 0, 0)
        );
        assert_eq!(count_cores("cpu 1\ncpu0 1\ncpu2 1\nintr 3\n"), 2);
    }
}
