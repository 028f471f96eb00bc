//! Messages between a node-client and the socket server.

use prost::{Enumeration, Message, Oneof};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{metrics::Sample, one_of::one_of};

one_of!(NodeMessage, NodeBody { "hello" => Hello, "batch" => Batch, "answer" => Answer });
one_of!(ServerMessage, ServerBody { "hello_ack" => HelloAck, "ack" => Ack, "request" => Request });

/// One frame from a node-client.
#[derive(Clone, PartialEq, Message, Serialize)]
pub struct NodeMessage {
    /// What it says.
    #[prost(oneof = "NodeBody", tags = "1, 2, 3")]
    #[serde(flatten)]
    pub body: Option<NodeBody>,
}

/// What a node-client says.
#[derive(Clone, PartialEq, Oneof, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(
    clippy::large_enum_variant,
    reason = "one message is alive at a time, boxing would cost each sample"
)]
pub enum NodeBody {
    /// First frame of a connection.
    #[prost(message, tag = "1")]
    Hello(Hello),
    /// New or replayed samples.
    #[prost(message, tag = "2")]
    Batch(Batch),
    /// The answer to a request.
    #[prost(message, tag = "3")]
    Answer(Answer),
}

/// One frame from the socket server.
#[derive(Clone, PartialEq, Message, Serialize)]
pub struct ServerMessage {
    /// What it says.
    #[prost(oneof = "ServerBody", tags = "1, 2, 3")]
    #[serde(flatten)]
    pub body: Option<ServerBody>,
}

/// What the socket server says to a node-client.
#[derive(Clone, PartialEq, Oneof, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ServerBody {
    /// The answer to a hello.
    #[prost(message, tag = "1")]
    HelloAck(HelloAck),
    /// Samples up to here are durable.
    #[prost(message, tag = "2")]
    Ack(Ack),
    /// A question.
    #[prost(message, tag = "3")]
    Request(Request),
}

/// Who the host is, and where its samples stand.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct Hello {
    /// Major version of the protocol; 0 means 1.
    #[prost(uint32, tag = "1")]
    pub protocol_major: u32,
    /// Minor version of the protocol.
    #[prost(uint32, tag = "2")]
    pub protocol_minor: u32,
    /// Stable identity: the hashed machine-id, else hashed MAC addresses; lower-case hex.
    #[prost(string, tag = "3")]
    pub machine_identity: String,
    /// The present numbering of samples; a new one starts only when the spool is new.
    #[prost(string, tag = "4")]
    pub epoch: String,
    /// Highest `seq` that the server has acknowledged in this epoch, as the host knows it.
    #[prost(uint64, tag = "5")]
    #[ts(type = "number")]
    pub acknowledged_seq: u64,
    /// Facts that do not change while the host is up.
    #[prost(message, optional, tag = "6")]
    pub facts: Option<HostFacts>,
    /// Labels that the host gives itself, such as `role=db`.
    #[prost(message, repeated, tag = "7")]
    pub labels: Vec<Label>,
    /// The host's clock when this was sent, milliseconds since 1970-01-01 UTC.
    #[prost(int64, tag = "8")]
    #[ts(type = "number")]
    pub sent_unix_ms: i64,
}

/// A name and a value.
#[derive(Clone, PartialEq, Eq, Message, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct Label {
    /// The name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// The value.
    #[prost(string, tag = "2")]
    pub value: String,
}

/// Facts of a host that do not change while it is up.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct HostFacts {
    /// The host's own name.
    #[prost(string, tag = "1")]
    pub host_name: String,
    /// Operating system and its version.
    #[prost(string, tag = "2")]
    pub os: String,
    /// Kernel release.
    #[prost(string, tag = "3")]
    pub kernel: String,
    /// Processor architecture, such as `x86_64`.
    #[prost(string, tag = "4")]
    pub architecture: String,
    /// Processor model.
    #[prost(string, tag = "5")]
    pub cpu_model: String,
    /// Logical processors.
    #[prost(uint32, tag = "6")]
    pub cpu_cores: u32,
    /// Highest clock, if known.
    #[prost(uint32, optional, tag = "7")]
    pub cpu_clock_max_mhz: Option<u32>,
    /// Memory of the host.
    #[prost(uint64, tag = "8")]
    #[ts(type = "number")]
    pub memory_total_bytes: u64,
    /// When it booted, milliseconds since 1970-01-01 UTC.
    #[prost(int64, tag = "9")]
    #[ts(type = "number")]
    pub boot_unix_ms: i64,
    /// MAC addresses of its interfaces.
    #[prost(string, repeated, tag = "10")]
    pub mac_addresses: Vec<String>,
    /// IP addresses of its interfaces.
    #[prost(string, repeated, tag = "11")]
    pub ip_addresses: Vec<String>,
    /// Version of the node-client.
    #[prost(string, tag = "12")]
    pub client_version: String,
}

/// The server knows the host.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize)]
#[serde(default)]
pub struct HelloAck {
    /// Major version of the protocol; 0 means 1.
    #[prost(uint32, tag = "1")]
    pub protocol_major: u32,
    /// Minor version of the protocol.
    #[prost(uint32, tag = "2")]
    pub protocol_minor: u32,
    /// The server's name for the host.
    #[prost(string, tag = "3")]
    pub host_id: String,
    /// Highest durable `seq` of the epoch in the hello; the host replays what comes after it.
    #[prost(uint64, tag = "4")]
    pub durable_seq: u64,
    /// The server's clock, milliseconds since 1970-01-01 UTC.
    #[prost(int64, tag = "5")]
    pub server_unix_ms: i64,
    /// Most samples that one batch may hold.
    #[prost(uint32, tag = "6")]
    pub batch_samples_max: u32,
    /// Most replayed samples that the server wants in a second.
    #[prost(uint32, tag = "7")]
    pub replay_samples_per_second: u32,
}

/// Some samples of one epoch, ascending by `seq`.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize)]
#[serde(default)]
pub struct Batch {
    /// The epoch that the samples belong to.
    #[prost(string, tag = "1")]
    pub epoch: String,
    /// The samples.
    #[prost(message, repeated, tag = "2")]
    pub samples: Vec<Sample>,
    /// Samples that the host will never send, and why.
    #[prost(message, repeated, tag = "3")]
    pub dropped: Vec<Dropped>,
    /// The host's clock when this was sent, milliseconds since 1970-01-01 UTC.
    #[prost(int64, tag = "4")]
    pub sent_unix_ms: i64,
}

/// A range of samples that the host lost.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct Dropped {
    /// First `seq` lost.
    #[prost(uint64, tag = "1")]
    #[ts(type = "number")]
    pub first_seq: u64,
    /// Last `seq` lost.
    #[prost(uint64, tag = "2")]
    #[ts(type = "number")]
    pub last_seq: u64,
    /// Host time of the first sample lost, milliseconds since 1970-01-01 UTC.
    #[prost(int64, tag = "3")]
    #[ts(type = "number")]
    pub from_unix_ms: i64,
    /// Host time of the last sample lost.
    #[prost(int64, tag = "4")]
    #[ts(type = "number")]
    pub to_unix_ms: i64,
    /// Why, as a [`DropReason`].
    #[prost(enumeration = "DropReason", tag = "5")]
    pub reason: i32,
}

/// Why a host lost samples.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Enumeration, Serialize, Deserialize, TS,
)]
#[repr(i32)]
#[serde(rename_all = "snake_case")]
pub enum DropReason {
    /// Not said.
    Unknown = 0,
    /// The spool reached its size limit.
    SpoolFull = 1,
    /// The samples were older than the spool keeps.
    TooOld = 2,
    /// The spool's file was damaged.
    Damaged = 3,
    /// The disk could not be written and memory was full.
    DiskFailed = 4,
}

/// Samples up to and with `seq` of `epoch` are durable.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize)]
#[serde(default)]
pub struct Ack {
    /// The epoch.
    #[prost(string, tag = "1")]
    pub epoch: String,
    /// Highest durable `seq`.
    #[prost(uint64, tag = "2")]
    pub seq: u64,
}

/// A question from the closed list; never a command.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize)]
#[serde(default)]
pub struct Request {
    /// Given back in the answer.
    #[prost(uint64, tag = "1")]
    pub request_id: u64,
    /// What is asked, as a [`Question`].
    #[prost(enumeration = "Question", tag = "2")]
    pub question: i32,
}

/// What a server may ask a host.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Enumeration, Serialize, Deserialize, TS,
)]
#[repr(i32)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// A question that this build does not know.
    Unknown = 0,
    /// The busiest processes.
    Processes = 1,
    /// Disks and file systems.
    Disks = 2,
    /// Operating system facts.
    Os = 3,
    /// Interfaces and addresses.
    Network = 4,
    /// Containers on the host.
    Containers = 5,
}

/// The answer to a request.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize)]
#[serde(default)]
pub struct Answer {
    /// From the request.
    #[prost(uint64, tag = "1")]
    pub request_id: u64,
    /// A JSON document, empty when `error` is set.
    #[prost(string, tag = "2")]
    pub json: String,
    /// Why there is no answer.
    #[prost(string, tag = "3")]
    pub error: String,
}
