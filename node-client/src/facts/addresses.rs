//! Addresses of a host's interfaces, from its own file trees: also right from inside a container.

use std::{
    collections::BTreeSet,
    fs,
    net::{Ipv4Addr, Ipv6Addr},
    path::Path,
};

use crate::host_root::HostRoot;

/// Most addresses that a hello names: a host with more is a router, and the first ones tell it from others.
const ADDRESSES_MAX: usize = 32;

/// A network interface and what stands in its folder below `/sys/class/net`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Kernel name, such as `eth0`.
    pub name: String,
    /// Hardware address; empty for one that has none.
    pub mac_address: String,
    /// Whether there is a device behind it.
    pub physical: bool,
    /// `up`, `down`, `unknown`, ….
    pub state: String,
    /// Largest packet in bytes.
    pub mtu_bytes: Option<u32>,
    /// Megabits a second, where the driver knows.
    pub speed_mbit_per_second: Option<u32>,
}

/// All interfaces but loopback, by name.
pub fn links(root: &HostRoot) -> Vec<Link> {
    let Ok(entries) = fs::read_dir(root.sys("class/net")) else {
        return Vec::new();
    };
    let mut links: Vec<Link> = entries
        .flatten()
        .filter_map(|entry| {
            let (name, folder) = (entry.file_name().into_string().ok()?, entry.path());
            let mac_address = read(&folder, "address").to_lowercase();
            (name != "lo" && folder.is_dir()).then(|| Link {
                name,
                mac_address: if is_mac_address(&mac_address) {
                    mac_address
                } else {
                    String::new()
                },
                physical: folder.join("device").exists(),
                state: read(&folder, "operstate"),
                mtu_bytes: read(&folder, "mtu").parse().ok(),
                speed_mbit_per_second: read(&folder, "speed").parse().ok().filter(|speed| *speed > 0),
            })
        })
        .collect();
    links.sort_by(|left, right| left.name.cmp(&right.name));
    links
}

/// Hardware addresses, sorted: those of devices, or where there are none, of anything.
pub(crate) fn mac_addresses(root: &HostRoot) -> Vec<String> {
    let links = links(root);
    let of = |physical_only: bool| -> BTreeSet<String> {
        let wanted = links
            .iter()
            .filter(|link| !link.mac_address.is_empty() && (link.physical || !physical_only));
        wanted.map(|link| link.mac_address.clone()).collect()
    };
    let physical = of(true);
    let chosen = if physical.is_empty() { of(false) } else { physical };
    chosen.into_iter().take(ADDRESSES_MAX).collect()
}

/// IP addresses, IPv4 first, without loopback and link-local ones.
pub(crate) fn ip_addresses(root: &HostRoot) -> Vec<String> {
    let text =
        |path| String::from_utf8_lossy(&fs::read(root.proc_of_init(path)).unwrap_or_default()).into_owned();
    let v4 = local_v4(&text("net/fib_trie"));
    let v6 = local_v6(&text("net/if_inet6"));
    let all = v4
        .iter()
        .map(ToString::to_string)
        .chain(v6.iter().map(ToString::to_string));
    all.take(ADDRESSES_MAX).collect()
}

/// The host's own addresses in the kernel's routing trie: a leaf line with the address, followed by one that says
/// `/32 host LOCAL`.
fn local_v4(fib_trie: &str) -> BTreeSet<Ipv4Addr> {
    let mut found = BTreeSet::new();
    let mut leaf = None;
    for line in fib_trie.lines().map(str::trim) {
        if let Some(address) = line.strip_prefix("|-- ") {
            leaf = address.parse::<Ipv4Addr>().ok();
        } else if line.starts_with("/32 host LOCAL") {
            found.extend(leaf.filter(|address| !address.is_loopback() && !address.is_link_local()));
        }
    }
    found
}

/// The addresses of `/proc/net/if_inet6`: 32 hex digits at the start of each line.
fn local_v6(if_inet6: &str) -> BTreeSet<Ipv6Addr> {
    let addresses = if_inet6.lines().filter_map(|line| {
        let digits = line
            .split_whitespace()
            .next()
            .filter(|digits| digits.len() == 32)?;
        u128::from_str_radix(digits, 16).ok().map(Ipv6Addr::from)
    });
    addresses
        .filter(|address| !address.is_loopback() && !address.is_unicast_link_local())
        .collect()
}

/// Six or more bytes in hex, not all zero.
fn is_mac_address(text: &str) -> bool {
    let mut bytes = 0;
    let well_formed = text.split(':').all(|byte| {
        bytes += 1;
        byte.len() == 2 && byte.bytes().all(|digit| digit.is_ascii_hexdigit())
    });
    well_formed && bytes >= 6 && text.bytes().any(|byte| !matches!(byte, b'0' | b':'))
}

fn read(folder: &Path, file: &str) -> String {
    let content = fs::read(folder.join(file)).unwrap_or_default();
    String::from_utf8_lossy(&content).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_hosts_own_addresses_are_found_in_the_trie() {
        let trie = "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 0.0.0.0\n        /0 universe UNICAST\n\
                    \x20          |-- 127.0.0.1\n              /32 host LOCAL\n\
                    \x20          |-- 192.0.2.2\n              /32 host LOCAL\n\
                    \x20       |-- 192.0.2.255\n           /32 link BROADCAST\n\
                    Local:\n           |-- 192.0.2.2\n              /32 host LOCAL\n";
        assert_eq!(local_v4(trie), BTreeSet::from([Ipv4Addr::new(192, 0, 2, 2)]));
    }

    #[test]
    fn link_local_and_loopback_addresses_say_nothing() {
        let text = "fd000000000000000000000000000002 04 40 00 82     eth0\n\
                    fe8000000000000000fc00fffe000001 04 40 20 80     eth0\n\
                    00000000000000000000000000000001 01 80 10 80       lo\n";
        let expected: Vec<String> = vec!["fd00::2".to_owned()];
        assert_eq!(
            local_v6(text).iter().map(ToString::to_string).collect::<Vec<_>>(),
            expected
        );
    }

    #[test]
    fn hardware_addresses_are_told_from_noise() {
        assert!(is_mac_address("52:54:00:12:34:56"));
        for noise in [
            "",
            "00:00:00:00:00:00",
            "7f:00:00:01",
            "52:54:00:12:34:5",
            "zz:54:00:12:34:56",
        ] {
            assert!(!is_mac_address(noise), "{noise}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(\\|-- |/32 host LOCAL|[0-9a-f.: \n]){0,60}") {
            let _ = (local_v4(&text), local_v6(&text), is_mac_address(&text));
        }
    }
}
