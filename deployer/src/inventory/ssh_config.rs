//! What a person's `~/.ssh/config` says about a host: HostName, Port, User, IdentityFile and ProxyJump. Nothing else of
//! it is carried out, and hosts.toml comes first.

use std::{
    io::{self, BufReader, Read},
    path::{Path, PathBuf},
};

use ssh2_config::ParseRule;

/// Read once for all hosts of a file.
#[derive(Debug, Clone, Default)]
pub struct SshConfig(Option<ssh2_config::SshConfig>);

/// What is said about one host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct SshHost {
    pub(super) host_name: Option<String>,
    pub(super) port: Option<u16>,
    pub(super) user: Option<String>,
    pub(super) identity_file: Option<PathBuf>,
    /// `[user@]host[:port]`, the first hop first.
    pub(super) jumps: Vec<String>,
}

impl SshConfig {
    /// The one of this user; one that is not there says nothing.
    ///
    /// # Errors
    ///
    /// When it is there and cannot be read.
    pub fn of_this_user() -> io::Result<Self> {
        let Some(home) = std::env::home_dir() else {
            return Ok(Self::default());
        };
        match std::fs::File::open(home.join(".ssh/config")) {
            Ok(file) => Self::read(file, &home),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error),
        }
    }

    /// Reads a text; `home` is what `~` stands for in it.
    ///
    /// # Errors
    ///
    /// When it is none of ssh's.
    pub fn read(text: impl Read, home: &Path) -> io::Result<Self> {
        let rules = ParseRule::ALLOW_UNKNOWN_FIELDS | ParseRule::ALLOW_UNSUPPORTED_FIELDS;
        ssh2_config::SshConfig::default()
            .home_dir(home)
            .parse(&mut BufReader::new(text), rules)
            .map(|config| Self(Some(config)))
            .map_err(io::Error::other)
    }

    pub(super) fn of(&self, name: &str) -> SshHost {
        let Some(config) = &self.0 else {
            return SshHost::default();
        };
        let said = config.query(name);
        let jumps = said.proxy_jump.unwrap_or_default();
        SshHost {
            host_name: said.host_name.map(|host| host.replace("%h", name)),
            port: said.port,
            user: said.user,
            // ssh tries each; one that is not there says nothing.
            identity_file: said
                .identity_file
                .and_then(|files| files.into_iter().find(|file| file.exists())),
            jumps: jumps
                .into_iter()
                .filter(|jump| !jump.eq_ignore_ascii_case("none"))
                .collect(),
        }
    }
}

/// The parts of `[user@]host[:port]`.
pub(super) fn parts(jump: &str) -> (Option<&str>, &str, Option<u16>) {
    let (user, rest) = match jump.rsplit_once('@') {
        Some((user, rest)) => (Some(user), rest),
        None => (None, jump),
    };
    let rest = rest.strip_prefix("ssh://").unwrap_or(rest);
    // `[::1]:22`; a bare IPv6 address has no port.
    if let Some((host, port)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return (
            user,
            host,
            port.strip_prefix(':').and_then(|port| port.parse().ok()),
        );
    }
    match rest.split_once(':') {
        Some((host, port)) if !port.contains(':') => (user, host, port.parse().ok()),
        _ => (user, rest, None),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn the_first_value_that_fits_a_host_counts() {
        let home = tempfile::tempdir().expect("a folder");
        std::fs::write(home.path().join("lab"), "a key").expect("a file");
        let text = "Host web*\n  HostName %h.example\n  User admin\n  IdentityFile ~/none\n  IdentityFile ~/lab\n\
                    Host web1 !web2\n  Port 2222\n  ProxyJump me@gate:2200\n\
                    Host *\n  User everyone\n  ServerAliveInterval 5\n  ForwardX11 no\n";
        let config = SshConfig::read(text.as_bytes(), home.path()).expect("a configuration");
        let web = config.of("web1");
        assert_eq!(
            (web.host_name.as_deref(), web.port, web.user.as_deref()),
            (Some("web1.example"), Some(2222), Some("admin"))
        );
        assert_eq!(web.identity_file, Some(home.path().join("lab")));
        assert_eq!(web.jumps, ["me@gate:2200"]);
        assert_eq!(config.of("db").user.as_deref(), Some("everyone"));
        assert_eq!(SshConfig::default().of("web1"), SshHost::default());
    }

    #[test]
    fn a_hop_has_a_user_and_a_port_or_not() {
        assert_eq!(parts("gate"), (None, "gate", None));
        assert_eq!(parts("me@gate:2200"), (Some("me"), "gate", Some(2200)));
        assert_eq!(parts("me@[::1]:2200"), (Some("me"), "::1", Some(2200)));
        assert_eq!(parts("::1"), (None, "::1", None));
    }
}
