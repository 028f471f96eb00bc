//! Every setting, once: flags, environment variables, the file's keys and the reference all come from this table.

/// One setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// Its flag without the dashes; the file's key has `_` for `-`.
    pub name: &'static str,
    /// What a value looks like, for the help.
    pub value: &'static str,
    /// What holds when nobody says otherwise, as the reference shows it.
    pub default: &'static str,
    /// Whether it may be given more than once.
    pub repeats: bool,
    /// What it does, and why one would change it.
    pub about: &'static str,
}

impl Setting {
    /// Its key in the file.
    pub fn key(&self) -> String {
        self.name.replace('-', "_")
    }

    /// Its environment variable.
    pub fn variable(&self) -> String {
        format!("METRIC_FLOW_{}", self.key().to_uppercase())
    }
}

const fn one(name: &'static str, value: &'static str, default: &'static str, about: &'static str) -> Setting {
    Setting {
        name,
        value,
        default,
        repeats: false,
        about,
    }
}

/// Every setting, in the order of the reference.
pub const SETTINGS: &[Setting] = &[
    one(
        "listen",
        "IP-ADDRESS:PORT",
        super::checked::LISTEN_DEFAULT,
        "Where to accept connections. Port 0 takes a free one and says which.",
    ),
    one(
        "store",
        "embedded:FOLDER|mongodb://ADDRESS|memory",
        super::checked::STORE_DEFAULT,
        "Where everything is kept: embedded:FOLDER, a mongodb:// address, or memory, which forgets everything at the end.",
    ),
    one(
        "store-password-file",
        "FILE",
        "none: the password stands in the address, if there is one",
        "File with the password of the MongoDB user whom the address names, so that it stands in no argument and no variable.",
    ),
    one(
        "keep-samples-days",
        "DAYS",
        "2",
        "How long every sample is kept, for looking at an incident second by second.",
    ),
    one(
        "keep-minutes-days",
        "DAYS",
        "30",
        "How long one roll-up a minute is kept.",
    ),
    one(
        "keep-hours-days",
        "DAYS",
        "730",
        "How long one roll-up an hour is kept.",
    ),
    one(
        "keep-megabytes-max",
        "MEGABYTES",
        "no limit",
        "Most disk that the embedded store may take. Over it the oldest of the finest resolution goes first.",
    ),
    one(
        "tls-certificate",
        "FILE",
        "none: plain HTTP",
        "Certificate chain in PEM, the server's own first. Read again at SIGHUP. Needs tls-key.",
    ),
    one(
        "tls-key",
        "FILE",
        "none: plain HTTP",
        "Private key of the certificate in PEM. Read again at SIGHUP.",
    ),
    Setting {
        name: "public-origin",
        value: "URL",
        default: "the address that the browser asked for",
        repeats: true,
        about: "Address under which browsers reach the server, such as https://metrics.example. May be given more than once. Behind a proxy it must be set, unless that is a trusted-proxy that passes Host and X-Forwarded-Proto on.",
    },
    Setting {
        name: "trusted-proxy",
        value: "ADDRESS[/BITS]",
        default: "none: such headers are not believed",
        repeats: true,
        about: "Proxy, or network of proxies, in front of this server, such as 127.0.0.1 or 10.0.0.0/8. May be given more than once. From these alone X-Forwarded-For says who asks, for the limits per address, and X-Forwarded-Proto whether by TLS.",
    },
    one(
        "registration",
        "open|closed",
        "closed",
        "Whether anyone may make an account once the first one exists.",
    ),
    one(
        "token-secret-file",
        "FILE",
        "token-secret in the embedded store's folder, else a new one at each start",
        "File with the secret that signs access tokens, at least 32 bytes. Several servers on one MongoDB share it.",
    ),
    one(
        "connections-max",
        "NUMBER",
        "20000",
        "Most open connections. Each needs a file descriptor: see `ulimit -n`.",
    ),
    one(
        "connections-per-address-max",
        "NUMBER",
        "2048",
        "Most open connections from one address. Many hosts can share one address behind a router.",
    ),
    one(
        "shutdown-seconds",
        "SECONDS",
        "10",
        "How long the end may take: connections are closed in order and samples are stored meanwhile.",
    ),
    one(
        "log-format",
        "text|json",
        "text",
        "How log lines on standard error look.",
    ),
    one(
        "log-filter",
        "FILTER",
        "news of the server, trouble of libraries",
        "What is logged, as in RUST_LOG.",
    ),
];
