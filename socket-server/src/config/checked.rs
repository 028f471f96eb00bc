//! Settings that are valid: what is built from them cannot fail for their sake.

use std::{fmt, net::SocketAddr, path::PathBuf, time::Duration};

use metric_flow_lifecycle::{LogFormat, is_log_filter};
use secrecy::SecretString;

use super::{
    Network, RawConfig,
    parse::{days, megabytes, origin, positive, store_location},
};
use crate::{accounts::AccountsPolicy, store::retention::Retention};

/// Loopback: a fresh server is not open to a network before it has an account.
pub(super) const LISTEN_DEFAULT: &str = "127.0.0.1:8000";
/// A folder beside where the server is started.
pub(super) const STORE_DEFAULT: &str = "embedded:metric-flow-data";
/// Half of the descriptors that a container usually gets, rounded.
const CONNECTIONS_MAX_DEFAULT: usize = 20_000;
/// A laboratory behind one router, its browsers included.
const CONNECTIONS_PER_ADDRESS_MAX_DEFAULT: usize = 2_048;
/// An end that takes longer than a day is no end.
const SHUTDOWN_SECONDS_MAX: u64 = 86_400;
/// What container engines wait before they kill.
const SHUTDOWN_DEFAULT: Duration = Duration::from_secs(10);

/// A checked configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to accept connections.
    pub listen: SocketAddr,
    /// Where everything is kept.
    pub store: StoreLocation,
    /// Where the password of the store's user is.
    pub store_password_file: Option<PathBuf>,
    /// How long the past is kept.
    pub retention: Retention,
    /// TLS, when it is wanted.
    pub tls: Option<TlsFiles>,
    /// Origins of the dashboard; empty means whatever host the browser asked for.
    pub public_origins: Vec<String>,
    /// Proxies whose word counts on who asks.
    pub trusted_proxies: Vec<Network>,
    /// Whether anyone may register.
    pub registration_open: bool,
    /// Where the secret is that signs access tokens.
    pub token_secret_file: Option<PathBuf>,
    /// How many connections there may be.
    pub limits: Limits,
    /// How long the end may take.
    pub shutdown_deadline: Duration,
    /// How log lines look.
    pub log_format: LogFormat,
    /// What is logged.
    pub log_filter: Option<String>,
    /// The numbers of account security; no setting changes them, tests do.
    pub accounts: AccountsPolicy,
}

/// Where everything is kept.
#[derive(Debug, Clone)]
pub enum StoreLocation {
    /// In memory: gone at the end.
    Memory,
    /// In a folder.
    Embedded(PathBuf),
    /// In a MongoDB; the address can hold a password.
    MongoDb(SecretString),
}

/// The files of a TLS certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The chain in PEM.
    pub certificate: PathBuf,
    /// The private key in PEM.
    pub key: PathBuf,
}

/// How many connections there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// In all.
    pub connections: usize,
    /// From one address.
    pub connections_per_address: usize,
}

/// Something wrong with the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigProblem {
    /// Where it was written.
    pub at: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: String,
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {} ({})", self.at, self.message, self.hint)
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8000)),
            store: StoreLocation::Embedded(PathBuf::from("metric-flow-data")),
            store_password_file: None,
            retention: Retention::default(),
            tls: None,
            public_origins: Vec::new(),
            trusted_proxies: Vec::new(),
            registration_open: false,
            token_secret_file: None,
            limits: Limits {
                connections: CONNECTIONS_MAX_DEFAULT,
                connections_per_address: CONNECTIONS_PER_ADDRESS_MAX_DEFAULT,
            },
            shutdown_deadline: SHUTDOWN_DEFAULT,
            log_format: LogFormat::Text,
            log_filter: None,
            accounts: AccountsPolicy::default(),
        }
    }
}

impl Config {
    /// Checks what was written.
    ///
    /// # Errors
    /// Every problem there is.
    pub fn check(raw: &RawConfig) -> Result<Self, Vec<ConfigProblem>> {
        let mut check = Check {
            raw,
            problems: raw.problems().to_vec(),
        };
        let mut config = Self::default();
        check.one("listen", &mut config.listen, |text| text.parse().ok());
        check.one("store", &mut config.store, store_location);
        check.one("store-password-file", &mut config.store_password_file, |text| {
            Some(Some(text.into()))
        });
        if config.store_password_file.is_some() && !matches!(config.store, StoreLocation::MongoDb(_)) {
            check.problem(
                "store-password-file",
                "is for a MongoDB, and the store is none",
                "give --store mongodb://USER@HOST/, or leave it out",
            );
        }
        check.one("keep-samples-days", &mut config.retention.raw, days);
        check.one("keep-minutes-days", &mut config.retention.minutes, days);
        check.one("keep-hours-days", &mut config.retention.hours, days);
        check.one("keep-megabytes-max", &mut config.retention.bytes_max, |text| {
            megabytes(text).map(Some)
        });
        check.one("registration", &mut config.registration_open, |text| match text {
            "open" => Some(true),
            "closed" => Some(false),
            _ => None,
        });
        check.one("token-secret-file", &mut config.token_secret_file, |text| {
            Some(Some(text.into()))
        });
        check.one("connections-max", &mut config.limits.connections, positive);
        check.one(
            "connections-per-address-max",
            &mut config.limits.connections_per_address,
            positive,
        );
        check.one("shutdown-seconds", &mut config.shutdown_deadline, |text| {
            positive(text)
                .filter(|seconds| *seconds <= SHUTDOWN_SECONDS_MAX)
                .map(Duration::from_secs)
        });
        check.one("log-format", &mut config.log_format, |text| match text {
            "text" => Some(LogFormat::Text),
            "json" => Some(LogFormat::Json),
            _ => None,
        });
        check.one("log-filter", &mut config.log_filter, |text| {
            is_log_filter(text).then(|| Some(text.to_owned()))
        });
        let mut origins = Vec::new();
        check.each(
            "public-origin",
            |text| origins.extend(origin(text)),
            |text| origin(text).is_some(),
        );
        config.public_origins = origins;
        let mut proxies = Vec::new();
        check.each(
            "trusted-proxy",
            |text| proxies.extend(Network::parse(text)),
            |text| Network::parse(text).is_some(),
        );
        config.trusted_proxies = proxies;
        config.tls = check.tls();
        if check.problems.is_empty() {
            Ok(config)
        } else {
            Err(check.problems)
        }
    }
}

struct Check<'a> {
    raw: &'a RawConfig,
    problems: Vec<ConfigProblem>,
}

impl Check<'_> {
    fn one<T>(&mut self, name: &'static str, target: &mut T, parse: impl Fn(&str) -> Option<T>) {
        let Some((values, at)) = self.raw.values(name) else {
            return;
        };
        match values {
            [text] => match parse(text) {
                Some(value) => *target = value,
                None => self.wrong(name, text, at),
            },
            _ => self.problem(at, "is given more than once", "give it once"),
        }
    }

    fn each(&mut self, name: &'static str, mut take: impl FnMut(&str), fits: impl Fn(&str) -> bool) {
        let Some((values, at)) = self.raw.values(name) else {
            return;
        };
        for text in values {
            if fits(text) {
                take(text);
            } else {
                self.wrong(name, text, at);
            }
        }
    }

    fn tls(&mut self) -> Option<TlsFiles> {
        let (mut certificate, mut key) = (None, None);
        self.one("tls-certificate", &mut certificate, |text| {
            Some(Some(PathBuf::from(text)))
        });
        self.one("tls-key", &mut key, |text| Some(Some(PathBuf::from(text))));
        match (certificate, key) {
            (Some(certificate), Some(key)) => Some(TlsFiles { certificate, key }),
            (None, None) => None,
            (Some(_), None) => {
                self.problem("tls-certificate", "needs the private key too", "give --tls-key");
                None
            }
            (None, Some(_)) => {
                self.problem("tls-key", "needs the certificate too", "give --tls-certificate");
                None
            }
        }
    }

    fn wrong(&mut self, name: &str, text: &str, at: &str) {
        let form = super::SETTINGS
            .iter()
            .find(|setting| setting.name == name)
            .map_or("", |setting| setting.value);
        // An address of a store can hold a password: it is not repeated.
        let shown = if name == "store" {
            "the value".to_owned()
        } else {
            format!("`{text}`")
        };
        self.problem(
            at,
            &format!("{shown} is not valid"),
            &format!("it looks like {form}"),
        );
    }

    fn problem(&mut self, at: &str, message: &str, hint: &str) {
        self.problems.push(ConfigProblem {
            at: at.into(),
            message: message.into(),
            hint: hint.into(),
        });
    }
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a test fails by panicking")]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::config::Setting;

    fn flags(given: &'static [(&str, &str)]) -> impl Fn(&Setting) -> Vec<String> {
        move |setting| {
            given
                .iter()
                .filter(|(name, _)| *name == setting.name)
                .map(|(_, value)| (*value).into())
                .collect()
        }
    }

    fn check(
        given: &'static [(&str, &str)],
        environment: &[(&str, &str)],
        file: Option<&str>,
    ) -> Result<Config, Vec<ConfigProblem>> {
        let environment: BTreeMap<String, String> = environment
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect();
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = file.map(|text| {
            let path = folder.path().join("server.toml");
            std::fs::write(&path, text).expect("written");
            path
        });
        Config::check(&RawConfig::gather(flags(given), &environment, path.as_deref()))
    }

    #[test]
    fn a_flag_comes_before_the_environment_and_that_before_the_file() {
        let variable = [
            ("METRIC_FLOW_LISTEN", "127.0.0.1:2"),
            ("METRIC_FLOW_STORE", "memory"),
        ];
        let file = "listen = \"127.0.0.1:3\"\nstore = \"embedded:x\"\nconnections_max = 7\n";
        let config = check(&[("listen", "127.0.0.1:1")], &variable, Some(file)).expect("valid");
        assert_eq!(config.listen.port(), 1);
        assert!(matches!(config.store, StoreLocation::Memory));
        assert_eq!(config.limits.connections, 7);
    }

    #[test]
    fn every_problem_is_reported_at_once() {
        let problems = check(
            &[("listen", "here"), ("connections-max", "0"), ("tls-key", "k.pem")],
            &[("METRIC_FLOW_STORE", "embedded:")],
            Some("regstration = \"open\"\nlog_format = true\n"),
        )
        .expect_err("six problems");
        let text = problems
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n");
        assert_eq!(problems.len(), 6, "{text}");
        assert!(text.contains("did you mean registration?"), "{text}");
        assert!(text.contains("--tls-certificate"), "{text}");
    }

    #[test]
    fn a_store_address_is_never_repeated() {
        let problems = check(&[("store", "postgres://u:secret@h")], &[], None).expect_err("unknown store");
        assert!(
            !problems
                .iter()
                .any(|problem| problem.to_string().contains("secret"))
        );
    }

    #[test]
    fn the_defaults_are_those_of_the_reference() {
        let config = Config::default();
        assert_eq!(config.listen.to_string(), LISTEN_DEFAULT);
        let default = store_location(STORE_DEFAULT).expect("valid");
        assert_eq!(format!("{:?}", config.store), format!("{default:?}"));
    }
}
