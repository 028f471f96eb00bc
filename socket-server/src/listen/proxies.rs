//! Who stands behind a proxy: what the headers of a trusted one say, and nobody else's. Pure.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;

use crate::config::Network;

/// Every proxy adds the address that it was reached from at the end.
const FORWARDED_FOR: &str = "x-forwarded-for";
/// How the one before reached the proxy: `https` or `http`.
const FORWARDED_PROTO: &str = "x-forwarded-proto";
/// Proxies in a row that are followed back: more than anybody has, so that a long header costs little.
const HOPS_MAX: usize = 16;

/// The proxies whose word counts.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(Vec<Network>);

/// Whom a request comes from, as far as it can be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) address: IpAddr,
    /// Whether that one used TLS; nothing when the proxy does not say.
    pub(super) secure: Option<bool>,
}

impl TrustedProxies {
    /// Trusts every address of these networks.
    pub fn new(networks: Vec<Network>) -> Self {
        Self(networks)
    }

    /// Whether an address is a proxy's.
    pub(super) fn trust(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }

    /// Whom a request comes from that the trusted proxy `peer` has passed on: the last address that was not written
    /// by a stranger. From the right, that is the first which is no trusted proxy.
    ///
    /// The header `Forwarded` (RFC 7239) is not looked at: proxies that know nothing of it pass on what a stranger wrote.
    pub(super) fn origin(&self, peer: IpAddr, headers: &HeaderMap) -> Origin {
        let mut address = peer;
        for hop in hops(headers).take(HOPS_MAX) {
            let Some(hop) = hop else { break };
            address = hop;
            if !self.trust(address) {
                break;
            }
        }
        let last = elements(headers, FORWARDED_PROTO).next();
        let secure = last.and_then(|scheme| {
            if scheme.eq_ignore_ascii_case(b"https") {
                Some(true)
            } else {
                scheme.eq_ignore_ascii_case(b"http").then_some(false)
            }
        });
        Origin { address, secure }
    }
}

/// The addresses on a request's way, the nearest first; nothing for what is no address.
fn hops(headers: &HeaderMap) -> impl Iterator<Item = Option<IpAddr>> {
    elements(headers, FORWARDED_FOR).map(|text| host_address(std::str::from_utf8(text).ok()?))
}

/// The elements of a list over all headers of a name, the last first.
fn elements<'a>(headers: &'a HeaderMap, name: &'static str) -> impl Iterator<Item = &'a [u8]> {
    headers
        .get_all(name)
        .iter()
        .rev()
        .flat_map(|value| value.as_bytes().rsplit(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|element| !element.is_empty())
}

/// An address as proxies write it: some add the port.
fn host_address(text: &str) -> Option<IpAddr> {
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(text);
    bare.parse()
        .or_else(|_| text.parse().map(|address: SocketAddr| address.ip()))
        .ok()
        .map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a test fails by panicking")]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn headers(name: &'static str, values: &[&[u8]]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name, HeaderValue::from_bytes(value).expect("a value"));
        }
        headers
    }

    /// The address behind the proxy 10.0.0.1, where all of 10.0.0.0/8 is trusted.
    fn behind(values: &[&[u8]]) -> IpAddr {
        let proxies = TrustedProxies::new(vec![Network::parse("10.0.0.0/8").expect("a network")]);
        proxies
            .origin(address("10.0.0.1"), &headers(FORWARDED_FOR, values))
            .address
    }

    #[test]
    fn the_nearest_address_that_is_no_proxy_counts() {
        assert_eq!(behind(&[b"192.0.2.7"]), address("192.0.2.7"));
        assert_eq!(behind(&[b"192.0.2.7, 10.0.0.9"]), address("192.0.2.7"));
        assert_eq!(behind(&[b"192.0.2.7", b"10.0.0.9"]), address("192.0.2.7"));
        assert_eq!(behind(&[b"2001:db8::7"]), address("2001:db8::7"));
    }

    #[test]
    fn what_a_stranger_wrote_before_it_does_not() {
        assert_eq!(behind(&[b"198.51.100.1, 192.0.2.7"]), address("192.0.2.7"));
        assert_eq!(behind(&[b"198.51.100.1", b"192.0.2.7"]), address("192.0.2.7"));
        assert_eq!(behind(&[b"10.0.0.5, 192.0.2.7"]), address("192.0.2.7"));
        assert_eq!(behind(&[b"junk, \xff\xfe, 192.0.2.7"]), address("192.0.2.7"));
    }

    #[test]
    fn an_address_may_have_a_port_and_brackets() {
        assert_eq!(behind(&[b"192.0.2.7:4711"]), address("192.0.2.7"));
        assert_eq!(behind(&[b"[2001:db8::7]:4711"]), address("2001:db8::7"));
        assert_eq!(behind(&[b"[2001:db8::7]"]), address("2001:db8::7"));
        assert_eq!(behind(&[b"::ffff:192.0.2.7"]), address("192.0.2.7"));
    }

    #[test]
    fn without_a_good_address_it_is_the_nearest_proxy() {
        for bad in [
            &b""[..],
            b" , ,, ",
            b"unknown",
            b"_hidden",
            b"<script>",
            b"999.1.1.1",
            b"\xf0\x9f\x98\x80",
            b"192.0.2.7 192.0.2.8",
        ] {
            assert_eq!(behind(&[bad]), address("10.0.0.1"), "{bad:?}");
        }
        assert_eq!(behind(&[]), address("10.0.0.1"));
        assert_eq!(behind(&[b"unknown, 10.0.0.9"]), address("10.0.0.9"));
    }

    #[test]
    fn a_long_header_is_followed_so_far_and_no_further() {
        let long = "10.0.0.2,".repeat(1_000);
        assert_eq!(behind(&[b"192.0.2.7,", long.as_bytes()]), address("10.0.0.2"));
    }

    #[test]
    fn the_nearest_proxy_says_whether_tls_was_used() {
        let secure = |values: &[&[u8]]| {
            TrustedProxies::default()
                .origin(address("10.0.0.1"), &headers(FORWARDED_PROTO, values))
                .secure
        };
        assert_eq!(secure(&[b"https"]), Some(true));
        assert_eq!(secure(&[b"HTTP"]), Some(false));
        assert_eq!(secure(&[b"https, http"]), Some(false));
        assert_eq!(secure(&[b"http", b"https"]), Some(true));
        assert_eq!(secure(&[b"wss"]), None);
        assert_eq!(secure(&[]), None);
    }
}
