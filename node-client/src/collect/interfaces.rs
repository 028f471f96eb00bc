//! Counters of each network interface, from `/proc/net/dev`.

use std::time::Instant;

use metric_flow_protocol::metrics::{Interface, Sample};

use super::{
    Collector, ReadingError,
    fields::{fields, lines, number, text},
    kept_file::KeptFile,
};
use crate::host_root::HostRoot;

/// How interfaces are named that say nothing of the host's own traffic: loopback; the host's end of each container's
/// or virtual machine's cable, the bridges that container engines and libvirt make for them, and the kernel's
/// redirection devices, whose bytes count on another interface already when they leave the host; and the templates
/// that tunnel modules create when they are loaded. A bridge that a person made has a name of that person's choice.
const LEFT_OUT: [(&str, Rest); 21] = [
    ("lo", Rest::Nothing),
    ("veth", Rest::Anything),
    ("vnet", Rest::Digits),
    ("docker", Rest::Digits),
    ("docker_gwbridge", Rest::Nothing),
    ("br-", Rest::NetworkId),
    ("podman", Rest::Digits),
    ("cni-podman", Rest::Digits),
    ("virbr", Rest::Digits),
    ("lxcbr", Rest::Digits),
    ("lxdbr", Rest::Digits),
    ("ifb", Rest::Digits),
    ("dummy", Rest::Digits),
    ("sit0", Rest::Nothing),
    ("tunl0", Rest::Nothing),
    ("gre0", Rest::Nothing),
    ("gretap0", Rest::Nothing),
    ("erspan0", Rest::Nothing),
    ("ip_vti0", Rest::Nothing),
    ("ip6_vti0", Rest::Nothing),
    ("ip6tnl0", Rest::Nothing),
];

/// Characters of the network's id in the name that Docker gives its bridge.
const NETWORK_ID_LENGTH: usize = 12;

/// What follows the beginning of a name.
#[derive(Debug, Clone, Copy)]
enum Rest {
    Nothing,
    Anything,
    Digits,
    NetworkId,
}

impl Rest {
    fn matches(self, rest: &str) -> bool {
        match self {
            Self::Nothing => rest.is_empty(),
            Self::Anything => true,
            Self::Digits => rest.bytes().all(|byte| byte.is_ascii_digit()),
            Self::NetworkId => {
                rest.len() == NETWORK_ID_LENGTH && rest.bytes().all(|byte| byte.is_ascii_hexdigit())
            }
        }
    }
}

/// Reads `/proc/net/dev`.
#[derive(Debug)]
pub(super) struct InterfaceCollector {
    dev: KeptFile,
}

impl InterfaceCollector {
    pub(super) fn new(root: &HostRoot) -> Self {
        Self {
            dev: KeptFile::new(root.proc_of_init("net/dev")),
        }
    }
}

impl Collector for InterfaceCollector {
    fn name(&self) -> &'static str {
        "network interfaces"
    }

    fn collect(
        &mut self,
        _now: Instant,
        buffer: &mut Vec<u8>,
        sample: &mut Sample,
    ) -> Result<(), ReadingError> {
        let content = self.dev.read(buffer)?;
        let mut malformed = false;
        // The first two lines are the table's head.
        for line in lines(content).skip(2) {
            match parse(line) {
                Some(interface) if is_shown(&interface.name) => sample.interfaces.push(interface),
                Some(_) => {}
                None => malformed = true,
            }
        }
        if malformed {
            Err(self.dev.malformed())
        } else {
            Ok(())
        }
    }
}

/// Whether an interface is shown.
fn is_shown(name: &str) -> bool {
    !LEFT_OUT.iter().any(|(beginning, rest)| {
        name.strip_prefix(beginning)
            .is_some_and(|found| rest.matches(found))
    })
}

fn parse(line: &[u8]) -> Option<Interface> {
    // The count may follow the colon without a blank; a name may hold a colon, a number may not.
    let colon = line.iter().rposition(|&byte| byte == b':')?;
    let (name, rest) = line.split_at(colon);
    let name = name.trim_ascii();
    let mut counters = [0_u64; 11];
    let mut columns = fields(rest.get(1..)?);
    for counter in &mut counters {
        *counter = number(columns.next()?)?;
    }
    let [
        received_bytes,
        received_packets,
        received_errors,
        ..,
        sent_bytes,
        sent_packets,
        sent_errors,
    ] = counters;
    (!name.is_empty()).then(|| Interface {
        name: text(name),
        received_bytes_total: received_bytes,
        sent_bytes_total: sent_bytes,
        received_packets_total: received_packets,
        sent_packets_total: sent_packets,
        received_errors_total: received_errors,
        sent_errors_total: sent_errors,
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "a test fails by panicking")]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn both_directions_are_read() {
        let interface = parse(
            b"  eth0:693104162   35799    1    0    0     0          0         0  2612328   26148    2    0",
        )
        .expect("a line of net/dev");
        assert_eq!(interface.name, "eth0");
        assert_eq!(
            (interface.received_bytes_total, interface.sent_bytes_total),
            (693_104_162, 2_612_328)
        );
        assert_eq!(
            (interface.received_packets_total, interface.sent_packets_total),
            (35_799, 26_148)
        );
        assert_eq!(
            (interface.received_errors_total, interface.sent_errors_total),
            (1, 2)
        );
    }

    #[test]
    fn loopback_and_what_counts_elsewhere_are_left_out() {
        for name in ["lo", "veth12ab", "ifb0", "dummy1", "sit0"] {
            assert!(!is_shown(name), "{name}");
        }
        for name in [
            "eth0", "enp3s0", "wlan0", "bond0", "wg0", "br0", "local0", "sit01", "ifbridge",
        ] {
            assert!(is_shown(name), "{name}");
        }
    }

    #[test]
    fn bridges_and_cables_of_containers_and_virtual_machines_are_left_out() {
        for name in [
            "docker0",
            "docker_gwbridge",
            "br-4f1c2a9be07d",
            "podman1",
            "cni-podman0",
            "virbr0",
            "vnet3",
            "lxdbr0",
        ] {
            assert!(!is_shown(name), "{name}");
        }
        for name in [
            "br-lan",
            "br-4f1c2a9be07dd",
            "bridge0",
            "virbr-dmz",
            "docker-lan",
            "vnet-a",
        ] {
            assert!(is_shown(name), "{name}");
        }
    }

    proptest! {
        #[test]
        fn no_line_panics(line in "[ 0-9a-z:\u{fffd}-]{0,200}") {
            let _ = parse(line.as_bytes());
        }
    }
}
