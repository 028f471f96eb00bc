//! The things that a store keeps, apart from the wire types that they came in.

use std::{collections::BTreeMap, fmt};

use metric_flow_protocol::{metrics::Sample, node::HostFacts, series::GapReason};
use serde::{Deserialize, Serialize};

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    };
}

identifier! {
    /// Names an account; random, stable for ever.
    AccountId
}
identifier! {
    /// Names a host; random, stable for ever.
    HostId
}
identifier! {
    /// Names an API key; not secret.
    ApiKeyId
}

/// Who owns hosts and sees them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// The log-in name, unique without regard to case.
    pub name: String,
    /// A bcrypt hash.
    pub password_hash: String,
    /// When it was made, milliseconds since 1970-01-01 UTC.
    pub created_unix_ms: i64,
}

/// A log-in that a refresh token keeps alive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// SHA-256 of the present refresh token, lower-case hex; the key of the record.
    pub token_hash: String,
    /// Stays the same while tokens rotate, so that a stolen token's whole family can be ended.
    pub family: String,
    /// Whose log-in it is.
    pub account: AccountId,
    /// When it ends, milliseconds since 1970-01-01 UTC.
    pub expires_unix_ms: i64,
    /// Whether the token was exchanged already; its second use ends the family.
    pub used: bool,
}

/// A key by which node-clients log in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// Whose hosts it enrols.
    pub account: AccountId,
    /// SHA-256 of the key, lower-case hex; unique.
    pub key_hash: String,
    /// First characters of the key, shown so that people can tell keys apart.
    pub prefix: String,
    /// What people call it.
    pub label: String,
    /// When it was made, milliseconds since 1970-01-01 UTC.
    pub created_unix_ms: i64,
    /// When it stops working, if ever.
    pub expires_unix_ms: Option<i64>,
    /// When a host last logged in with it.
    pub last_used_unix_ms: Option<i64>,
}

/// A machine of the lab.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HostRecord {
    /// Its id.
    pub id: HostId,
    /// Whose it is.
    pub account: AccountId,
    /// Identity that its node-client reports; clones share it.
    pub machine_identity: String,
    /// The epoch of its last hello; tells clones apart.
    pub epoch: String,
    /// Name given by a person, in place of the host's own.
    pub given_name: Option<String>,
    /// Labels that the host gives itself.
    pub own_labels: BTreeMap<String, String>,
    /// Labels given by people; they win.
    pub given_labels: BTreeMap<String, String>,
    /// Facts of its last hello.
    pub facts: HostFacts,
    /// When it was first seen, milliseconds since 1970-01-01 UTC.
    pub created_unix_ms: i64,
    /// When it was last seen, milliseconds since 1970-01-01 UTC.
    pub last_seen_unix_ms: i64,
    /// Another host reports the same machine identity.
    pub cloned_identity: bool,
}

/// Samples of one host to be made durable.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleBatch {
    /// Whose host it is.
    pub account: AccountId,
    /// The host.
    pub host: HostId,
    /// The numbering of the samples.
    pub epoch: String,
    /// The samples, in any order; one that is stored already is stored once.
    pub samples: Vec<Sample>,
    /// Samples that will never come.
    pub dropped: Vec<DroppedRecord>,
}

/// A range of samples that will never come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DroppedRecord {
    /// First `seq` lost.
    pub first_seq: u64,
    /// Last `seq` lost.
    pub last_seq: u64,
    /// Host time of the first, milliseconds since 1970-01-01 UTC.
    pub from_unix_ms: i64,
    /// Host time of the last.
    pub to_unix_ms: i64,
    /// Why.
    pub reason: GapReason,
}

/// How finely the past is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// Every sample.
    Second,
    /// One roll-up a minute.
    Minute,
    /// One roll-up an hour.
    Hour,
}

impl Resolution {
    /// Distance of two rows at 1 Hz.
    pub const fn step_ms(self) -> i64 {
        match self {
            Self::Second => 1_000,
            Self::Minute => 60_000,
            Self::Hour => 3_600_000,
        }
    }
}

/// One instant of the past of a host.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryRow {
    /// Start of the step (of the sample itself at [`Resolution::Second`]), milliseconds since 1970-01-01 UTC.
    pub time_unix_ms: i64,
    /// How many samples it stands for.
    pub samples: u32,
    /// One entry for each series asked for, in that order; `None` where the step has no value.
    pub values: Vec<Option<SeriesAggregate>>,
}

impl HistoryRow {
    /// Adds what newer samples of the same step come to, in a row of the same series.
    pub fn merge(&mut self, later: &Self) {
        self.samples = self.samples.saturating_add(later.samples);
        for (known, value) in self.values.iter_mut().zip(&later.values) {
            *known = match (*known, *value) {
                (Some(known), Some(value)) => Some(known.merged(value)),
                (known, value) => value.or(known),
            };
        }
    }
}

/// One series over one step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SeriesAggregate {
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
    /// Sum of the values; the mean is `sum / count`.
    pub sum: f64,
    /// Newest value by the host's time.
    pub last: f64,
    /// How many values.
    pub count: u32,
}
