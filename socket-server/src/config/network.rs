//! A network: an address and how many of its leading bits count. Pure.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Bits before the IPv4 address in an IPv6 address that maps one (RFC 4291, 2.5.5.2).
const MAPPED_BITS: u8 = 96;

/// Addresses that begin alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    first: IpAddr,
    bits: u8,
}

impl Network {
    /// Reads `ADDRESS` or `ADDRESS/BITS`. Zero bits would be every address there is, and are refused.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.trim().parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits: u8 = match bits {
            Some(bits) => bits
                .trim()
                .parse()
                .ok()
                .filter(|bits| (1..=most).contains(bits))?,
            None => most,
        };
        let canonical = address.to_canonical();
        let bits = if canonical == address {
            bits
        } else {
            bits.checked_sub(MAPPED_BITS).filter(|bits| *bits > 0)?
        };
        Some(Self {
            first: masked(canonical, bits),
            bits,
        })
    }

    /// Whether an address is one of them. An IPv4 address is the same when IPv6 maps it.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.first.is_ipv4() && masked(address, self.bits) == self.first
    }
}

fn masked(address: IpAddr, bits: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let rest = u32::MAX.checked_shr(bits.into()).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from_bits(address.to_bits() & !rest))
        }
        IpAddr::V6(address) => {
            let rest = u128::MAX.checked_shr(bits.into()).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !rest))
        }
    }
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn holds(network: &str, address: &str) -> bool {
        Network::parse(network)
            .expect("a network")
            .contains(address.parse().expect("an address"))
    }

    #[test]
    fn leading_bits_decide() {
        assert!(holds("10.1.2.3", "10.1.2.3"));
        assert!(!holds("10.1.2.3", "10.1.2.4"));
        assert!(holds("10.1.2.3/8", "10.200.0.1"));
        assert!(!holds("10.0.0.0/8", "11.0.0.1"));
        assert!(holds("172.16.0.0/12", "172.31.255.255"));
        assert!(!holds("172.16.0.0/12", "172.32.0.0"));
        assert!(holds("fd00::/8", "fdff::1"));
        assert!(!holds("fd00::/8", "fe80::1"));
        assert!(holds("::1", "::1"));
    }

    #[test]
    fn an_ipv4_address_is_the_same_in_ipv6() {
        assert!(holds("127.0.0.1", "::ffff:127.0.0.1"));
        assert!(holds("::ffff:10.0.0.0/104", "10.9.9.9"));
        assert!(!holds("127.0.0.1", "::1"));
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for bad in [
            "",
            "proxy",
            "10.0.0.0/33",
            "10.0.0.0/0",
            "::/0",
            "::/129",
            "10.0.0/8",
            "10.0.0.0/8/8",
            "10.0.0.0/-1",
            "10.0.0.0/",
            "::ffff:0.0.0.0/90",
        ] {
            assert_eq!(Network::parse(bad), None, "{bad}");
        }
    }
}
