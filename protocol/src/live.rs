//! Messages between the socket server and a viewer, JSON in text frames.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{metrics::Sample, node::HostFacts};

/// What the server says to a viewer; `type` tells which.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
#[expect(
    clippy::large_enum_variant,
    reason = "one message is alive at a time, boxing would cost each sample"
)]
pub enum LiveMessage {
    /// First frame: the whole fleet as it is now.
    Welcome(Welcome),
    /// Rows of the hosts that changed in a tick.
    Fleet(FleetFrame),
    /// Full samples of a host that this viewer has opened.
    Detail(HostDetail),
    /// A host came, went or changed its facts.
    Event(HostEvent),
    /// The server refuses or warns, in words for a person.
    Notice(Notice),
}

/// What a viewer says to the server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ViewerMessage {
    /// Replaces the set of open hosts.
    Subscribe(Subscribe),
}

/// The whole fleet as it is now.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct Welcome {
    /// Major version of the protocol.
    pub protocol_major: u32,
    /// Minor version of the protocol.
    pub protocol_minor: u32,
    /// The server's clock, milliseconds since 1970-01-01 UTC.
    #[ts(type = "number")]
    pub server_unix_ms: i64,
    /// Version of the server.
    pub server_version: String,
    /// Every host of the account.
    pub hosts: Vec<HostSummary>,
}

/// A host as the fleet page shows it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct HostSummary {
    /// The server's name for the host, stable for ever.
    pub id: String,
    /// What people call it: the name given by a person, else the host's own.
    pub name: String,
    /// Labels from the host and from people; a person's label wins.
    pub labels: BTreeMap<String, String>,
    /// Whether it has an open connection.
    pub online: bool,
    /// When the server last heard from it, milliseconds since 1970-01-01 UTC; 0 for never.
    #[ts(type = "number")]
    pub last_seen_unix_ms: i64,
    /// The host's clock less the server's, in milliseconds.
    #[ts(type = "number")]
    pub clock_offset_ms: i64,
    /// Another host reports the same machine identity: the two are clones.
    pub cloned_identity: bool,
    /// Facts from its last hello.
    pub facts: Option<HostFacts>,
    /// Its newest readings.
    pub latest: Option<HostRow>,
}

/// The compact readings of one host.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct HostRow {
    /// The host.
    pub id: String,
    /// The host's own clock, milliseconds since 1970-01-01 UTC.
    #[ts(type = "number")]
    pub time_unix_ms: i64,
    /// 0 to 100.
    pub cpu_used_percent: f32,
    /// Total less available.
    #[ts(type = "number")]
    pub memory_used_bytes: u64,
    /// Memory of the host.
    #[ts(type = "number")]
    pub memory_total_bytes: u64,
    /// All interfaces together, from the last two samples.
    pub received_bytes_per_second: f32,
    /// All interfaces together, from the last two samples.
    pub sent_bytes_per_second: f32,
    /// Load over one minute.
    pub load_one_minute: f32,
}

/// Rows of the hosts that changed in one tick, encoded once for all viewers of the account.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct FleetFrame {
    /// The server's clock, milliseconds since 1970-01-01 UTC.
    #[ts(type = "number")]
    pub server_unix_ms: i64,
    /// The newest row of each host that changed.
    pub rows: Vec<HostRow>,
}

/// Full samples of one open host.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct HostDetail {
    /// The host.
    pub id: String,
    /// The numbering that the samples belong to.
    pub epoch: String,
    /// New samples, ascending by time; after a subscribe, the recent ones that the server holds in memory.
    pub samples: Vec<Sample>,
}

/// Something about a host changed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct HostEvent {
    /// The host.
    pub id: String,
    /// What happened.
    pub kind: HostEventKind,
    /// The host as it is now; absent when it was removed.
    pub host: Option<HostSummary>,
}

/// What happened to a host.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum HostEventKind {
    /// It opened a connection.
    #[default]
    Online,
    /// Its connection ended.
    Offline,
    /// Its name, labels or facts changed.
    Changed,
    /// It was deleted.
    Removed,
}

/// Words for a person.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct Notice {
    /// A stable word for programs: `missed_frames`, `bad_message`.
    pub code: String,
    /// One sentence.
    pub message: String,
    /// How many frames this viewer missed since the last notice, for `missed_frames`.
    #[ts(type = "number")]
    pub missed_frames: u64,
}

/// The hosts whose full samples this viewer wants.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct Subscribe {
    /// Host ids; replaces the set before.
    pub open_hosts: Vec<String>,
}
