//! Where the server's door for hosts is.

use url::{Host, Url};

/// Path of the door, after the path prefix of the server's address.
pub const NODE_PATH: &str = "/api/v1/node";

/// A server's address, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Name or address, without the brackets of an IPv6 address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Whether the connection is encrypted.
    pub tls: bool,
    /// The whole address for the WebSocket handshake.
    pub websocket_url: String,
}

impl Endpoint {
    /// Takes an address with the scheme `http` or `https` apart; `None` when it has no host.
    pub fn of(server: &Url) -> Option<Self> {
        let tls = server.scheme() == "https";
        let host = match server.host()? {
            Host::Domain(name) => name.to_owned(),
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        };
        let port = server.port_or_known_default()?;
        let scheme = if tls { "wss" } else { "ws" };
        let authority = server.authority();
        let prefix = server.path().trim_end_matches('/');
        Some(Self {
            host,
            port,
            tls,
            websocket_url: format!("{scheme}://{authority}{prefix}{NODE_PATH}"),
        })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "a test fails by panicking")]

    use super::*;

    fn of(text: &str) -> Endpoint {
        Endpoint::of(&Url::parse(text).expect("a URL")).expect("an endpoint")
    }

    #[test]
    fn the_scheme_decides_port_and_encryption() {
        let plain = of("http://10.0.0.5:8000");
        assert_eq!((plain.port, plain.tls), (8000, false));
        assert_eq!(plain.websocket_url, "ws://10.0.0.5:8000/api/v1/node");
        let secure = of("https://metrics.example.org/");
        assert_eq!((secure.port, secure.tls), (443, true));
        assert_eq!(secure.websocket_url, "wss://metrics.example.org/api/v1/node");
    }

    #[test]
    fn a_path_prefix_and_an_ipv6_address_are_kept() {
        let endpoint = of("https://[fd00::5]:8443/metrics/");
        assert_eq!(endpoint.host, "fd00::5");
        assert_eq!(endpoint.websocket_url, "wss://[fd00::5]:8443/metrics/api/v1/node");
    }
}
