//! One sample: all readings of one host at one instant, units in the names.
//!
//! Counters (`*_total`) only grow while the host is up and start again at zero after a reboot; whoever shows a
//! rate takes the difference of two samples.

use prost::Message;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// All readings of one host at one instant.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct Sample {
    /// Position in the host's epoch, from 1, without holes on the host's side.
    #[prost(uint64, tag = "1")]
    #[ts(type = "number")]
    pub seq: u64,
    /// The host's own clock, milliseconds since 1970-01-01 UTC.
    #[prost(int64, tag = "2")]
    #[ts(type = "number")]
    pub time_unix_ms: i64,
    /// Processor readings.
    #[prost(message, optional, tag = "3")]
    pub cpu: Option<Cpu>,
    /// Load averages.
    #[prost(message, optional, tag = "4")]
    pub load: Option<Load>,
    /// Memory and swap.
    #[prost(message, optional, tag = "5")]
    pub memory: Option<Memory>,
    /// One entry for each mounted file system that stores data.
    #[prost(message, repeated, tag = "6")]
    pub file_systems: Vec<FileSystem>,
    /// One entry for each physical disk.
    #[prost(message, repeated, tag = "7")]
    pub disks: Vec<Disk>,
    /// One entry for each network interface but loopback.
    #[prost(message, repeated, tag = "8")]
    pub interfaces: Vec<Interface>,
    /// One entry for each sensor.
    #[prost(message, repeated, tag = "9")]
    pub temperatures: Vec<Temperature>,
    /// Pressure stall information, on Linux kernels that have it.
    #[prost(message, optional, tag = "10")]
    pub pressure: Option<Pressure>,
    /// Number of processes and of running ones.
    #[prost(message, optional, tag = "11")]
    pub processes: Option<Processes>,
    /// Seconds since the host booted.
    #[prost(double, optional, tag = "12")]
    pub uptime_seconds: Option<f64>,
}

/// Share of time that the processors spent, over the second before the sample.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct Cpu {
    /// Not idle and not waiting for IO, all cores together, 0 to 100.
    #[prost(float, tag = "1")]
    pub used_percent: f32,
    /// In user code, niced included.
    #[prost(float, tag = "2")]
    pub user_percent: f32,
    /// In the kernel, interrupts included.
    #[prost(float, tag = "3")]
    pub system_percent: f32,
    /// Idle with IO outstanding.
    #[prost(float, tag = "4")]
    pub iowait_percent: f32,
    /// Taken by the hypervisor for others.
    #[prost(float, tag = "5")]
    pub steal_percent: f32,
    /// `used_percent` of each core in the kernel's order.
    #[prost(float, repeated, tag = "6")]
    pub core_used_percent: Vec<f32>,
    /// Mean clock of the cores now.
    #[prost(uint32, optional, tag = "7")]
    pub clock_mhz: Option<u32>,
    /// Highest clock that the cores can reach.
    #[prost(uint32, optional, tag = "8")]
    pub clock_max_mhz: Option<u32>,
}

/// Load averages as the kernel gives them.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct Load {
    /// Over one minute.
    #[prost(float, tag = "1")]
    pub one_minute: f32,
    /// Over five minutes.
    #[prost(float, tag = "2")]
    pub five_minutes: f32,
    /// Over fifteen minutes.
    #[prost(float, tag = "3")]
    pub fifteen_minutes: f32,
}

/// Memory and swap.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct Memory {
    /// Memory that the kernel manages.
    #[prost(uint64, tag = "1")]
    #[ts(type = "number")]
    pub total_bytes: u64,
    /// Total less available.
    #[prost(uint64, tag = "2")]
    #[ts(type = "number")]
    pub used_bytes: u64,
    /// What programs can still get without swapping.
    #[prost(uint64, tag = "3")]
    #[ts(type = "number")]
    pub available_bytes: u64,
    /// Page cache, buffers and reclaimable slab.
    #[prost(uint64, tag = "4")]
    #[ts(type = "number")]
    pub cached_bytes: u64,
    /// Swap space.
    #[prost(uint64, tag = "5")]
    #[ts(type = "number")]
    pub swap_total_bytes: u64,
    /// Swap space in use.
    #[prost(uint64, tag = "6")]
    #[ts(type = "number")]
    pub swap_used_bytes: u64,
}

/// A mounted file system.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct FileSystem {
    /// Where it is mounted, as the host sees it.
    #[prost(string, tag = "1")]
    pub mount_point: String,
    /// The device or source.
    #[prost(string, tag = "2")]
    pub device: String,
    /// Its size.
    #[prost(uint64, tag = "3")]
    #[ts(type = "number")]
    pub total_bytes: u64,
    /// What is taken.
    #[prost(uint64, tag = "4")]
    #[ts(type = "number")]
    pub used_bytes: u64,
}

/// A disk's counters since boot.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct Disk {
    /// Kernel name, such as `nvme0n1`.
    #[prost(string, tag = "1")]
    pub name: String,
    /// Bytes read.
    #[prost(uint64, tag = "2")]
    #[ts(type = "number")]
    pub read_bytes_total: u64,
    /// Bytes written.
    #[prost(uint64, tag = "3")]
    #[ts(type = "number")]
    pub written_bytes_total: u64,
    /// Reads completed.
    #[prost(uint64, tag = "4")]
    #[ts(type = "number")]
    pub read_operations_total: u64,
    /// Writes completed.
    #[prost(uint64, tag = "5")]
    #[ts(type = "number")]
    pub write_operations_total: u64,
}

/// A network interface's counters since boot.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct Interface {
    /// Kernel name, such as `eth0`.
    #[prost(string, tag = "1")]
    pub name: String,
    /// Bytes in.
    #[prost(uint64, tag = "2")]
    #[ts(type = "number")]
    pub received_bytes_total: u64,
    /// Bytes out.
    #[prost(uint64, tag = "3")]
    #[ts(type = "number")]
    pub sent_bytes_total: u64,
    /// Packets in.
    #[prost(uint64, tag = "4")]
    #[ts(type = "number")]
    pub received_packets_total: u64,
    /// Packets out.
    #[prost(uint64, tag = "5")]
    #[ts(type = "number")]
    pub sent_packets_total: u64,
    /// Receive errors.
    #[prost(uint64, tag = "6")]
    #[ts(type = "number")]
    pub received_errors_total: u64,
    /// Send errors.
    #[prost(uint64, tag = "7")]
    #[ts(type = "number")]
    pub sent_errors_total: u64,
}

/// A sensor's reading.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct Temperature {
    /// What is measured, such as `coretemp Package id 0`.
    #[prost(string, tag = "1")]
    pub sensor: String,
    /// Degrees Celsius.
    #[prost(float, tag = "2")]
    pub celsius: f32,
}

/// Share of time in which work stalled, over ten seconds (Linux `/proc/pressure`).
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct Pressure {
    /// Some task waited for a processor.
    #[prost(float, tag = "1")]
    pub cpu_some_percent: f32,
    /// Some task waited for memory.
    #[prost(float, tag = "2")]
    pub memory_some_percent: f32,
    /// All tasks waited for memory.
    #[prost(float, tag = "3")]
    pub memory_full_percent: f32,
    /// Some task waited for IO.
    #[prost(float, tag = "4")]
    pub io_some_percent: f32,
    /// All tasks waited for IO.
    #[prost(float, tag = "5")]
    pub io_full_percent: f32,
}

/// Processes of the host.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct Processes {
    /// All of them.
    #[prost(uint32, tag = "1")]
    pub total: u32,
    /// On a processor or ready to be.
    #[prost(uint32, tag = "2")]
    pub running: u32,
}
