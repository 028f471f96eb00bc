//! Source addresses: one loopback address serves only so many ports, and the server limits connections for each.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Connections that share one source address: below the server's default limit for an address.
const CONNECTIONS_PER_ADDRESS: usize = 50;

/// The source address of the `index`-th connection, spread over 127.1.0.0/16 with a port of the kernel's choice.
pub fn source_address(index: usize) -> SocketAddr {
    let slot = index / CONNECTIONS_PER_ADDRESS;
    let third = u8::try_from(slot / 250 % 250).unwrap_or(0);
    let fourth = u8::try_from(slot % 250 + 1).unwrap_or(1);
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 1, third, fourth)), 0)
}
