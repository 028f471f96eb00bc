//! What the things of a lab are called, and which addresses they have. Pure.

use std::collections::BTreeSet;

use super::error::LabError;
use crate::containers::{Labels, Network};

/// On all that a lab makes, with the lab's name.
pub(super) const LAB_LABEL: &str = "metric-flow.lab";
/// On all that a lab makes, with the lab's folder.
pub(super) const FOLDER_LABEL: &str = "metric-flow.lab.folder";
/// On a host, with its name.
pub(super) const HOST_LABEL: &str = "metric-flow.lab.host";
/// On a host, with its address, which it gets back after it was cut off.
pub(super) const ADDRESS_LABEL: &str = "metric-flow.lab.address";
/// On a host, with the user to log in as.
pub(super) const USER_LABEL: &str = "metric-flow.lab.user";

/// Addresses below this are for the gateway and for whatever a person adds by hand.
const FIRST_ADDRESS: usize = 11;
/// A subnet of 256 addresses has room for no more.
pub(super) const MOST_HOSTS: i64 = 200;
/// The first two numbers of the subnets: rarely used by home routers, VPNs and engines.
const NET: &str = "10.231";

/// A lab's name, known to be good in the names of containers, networks and files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LabName(String);

impl LabName {
    pub(super) fn parse(name: &str) -> Result<Self, LabError> {
        let wrong = |why| {
            Err(LabError::Name {
                name: name.to_owned(),
                why,
            })
        };
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || name.len() > 32 {
            wrong("it has 1 to 32 characters")
        } else if !name.chars().all(fits) {
            wrong("it has small letters, digits and hyphens only")
        } else if name.starts_with('-') || name.ends_with('-') {
            wrong("it does not begin or end with a hyphen")
        } else {
            Ok(Self(name.to_owned()))
        }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of the lab's network.
    pub(super) fn network(&self) -> String {
        format!("metric-flow-lab-{}", self.0)
    }

    /// The name of a host's container, and of its volume. A dot keeps lab "a-b" and its hosts apart from lab "a".
    pub(super) fn container(&self, host: &str) -> String {
        format!("metric-flow-lab-{}.{host}", self.0)
    }

    /// The labels of all that belongs to the lab.
    pub(super) fn labels(&self, folder: &str) -> Labels {
        Labels::from([
            (LAB_LABEL.to_owned(), self.0.clone()),
            (FOLDER_LABEL.to_owned(), folder.to_owned()),
        ])
    }
}

/// A host's place in a lab: its name and address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seat {
    pub(super) host: String,
    pub(super) address: String,
}

/// The first `count` hosts of a lab in `subnet`.
pub(super) fn seats(subnet: &str, count: usize) -> Vec<Seat> {
    (0..count)
        .map(|index| Seat {
            host: format!("node{}", index + 1),
            address: format!("{}.{}", prefix(subnet), FIRST_ADDRESS + index),
        })
        .collect()
}

/// The gateway of a subnet: its first address.
pub(super) fn gateway(subnet: &str) -> String {
    format!("{}.1", prefix(subnet))
}

/// A key that puts `node10` after `node9`.
pub(super) fn order(host: &str) -> (usize, String) {
    let digits: String = host.chars().filter(char::is_ascii_digit).collect();
    (digits.parse().unwrap_or(usize::MAX), host.to_owned())
}

fn prefix(subnet: &str) -> &str {
    subnet.rsplit_once('.').map_or(subnet, |(prefix, _)| prefix)
}

/// The subnets to try for a lab, best first: one that its name leads to, so that a lab gets the same addresses again,
/// then the others. Those in use by `networks` or by `routes` (destinations as `10.231.7.0`) are left out.
pub(super) fn free_subnets(name: &LabName, networks: &[Network], routes: &[String]) -> Vec<String> {
    let taken: BTreeSet<&str> = networks
        .iter()
        .filter_map(|network| network.subnet.as_deref())
        .chain(routes.iter().map(String::as_str))
        .map(prefix)
        .collect();
    let mix = |sum: u8, byte: u8| sum.wrapping_mul(31).wrapping_add(byte);
    let start = name.as_str().bytes().fold(7, mix);
    (0..=u8::MAX)
        .map(|step| format!("{NET}.{}", start.wrapping_add(step)))
        .filter(|prefix| !taken.contains(prefix.as_str()))
        .map(|prefix| format!("{prefix}.0/24"))
        .collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "a test fails by panicking")]

    use super::*;

    fn name(text: &str) -> LabName {
        LabName::parse(text).expect("a name")
    }

    #[test]
    fn a_name_that_would_break_a_command_or_a_path_is_refused() {
        for bad in ["", "-a", "a-", "A", "a b", "../x", "a/b", "a.b", &"a".repeat(33)] {
            assert!(LabName::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(name("lab-2").network(), "metric-flow-lab-lab-2");
    }

    #[test]
    fn hosts_are_numbered_from_one_and_their_addresses_from_eleven() {
        let seats = seats("10.231.4.0/24", 2);
        assert_eq!(seats[0].host, "node1");
        assert_eq!(seats[0].address, "10.231.4.11");
        assert_eq!(seats[1].address, "10.231.4.12");
        assert_eq!(gateway("10.231.4.0/24"), "10.231.4.1");
    }

    #[test]
    fn a_subnet_in_use_is_not_offered_and_the_choice_is_stable() {
        let all = free_subnets(&name("lab"), &[], &[]);
        assert_eq!(all.len(), 256);
        assert_eq!(all, free_subnets(&name("lab"), &[], &[]));
        let used = Network {
            name: "other".to_owned(),
            subnet: Some(all[0].clone()),
            labels: Labels::new(),
        };
        let route = all[1].trim_end_matches("/24").to_owned();
        let left = free_subnets(&name("lab"), &[used], &[route]);
        assert_eq!(left[0], all[2]);
        assert_eq!(left.len(), 254);
    }

    #[test]
    fn node_ten_comes_after_node_nine() {
        let mut hosts = vec!["node10", "node9", "node1"];
        hosts.sort_by_key(|host| order(host));
        assert_eq!(hosts, ["node1", "node9", "node10"]);
    }
}
