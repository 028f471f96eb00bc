//! Readings of one host, one collector a file.
//!
//! On Linux the counters come from files below `/proc` and `/sys` that stay open and are read into one buffer; on
//! other systems sysinfo serves what it knows. Nothing here knows a network connection.

mod portable;
mod sampler;

pub use portable::Portable;
pub use sampler::Sampler;

#[cfg(target_os = "linux")]
mod clock;
#[cfg(target_os = "linux")]
mod cpu;
#[cfg(target_os = "linux")]
mod cpu_shares;
#[cfg(target_os = "linux")]
mod disks;
#[cfg(target_os = "linux")]
mod fields;
#[cfg(target_os = "linux")]
mod file_systems;
#[cfg(target_os = "linux")]
mod interfaces;
#[cfg(target_os = "linux")]
mod kept_file;
#[cfg(target_os = "linux")]
mod load;
#[cfg(target_os = "linux")]
mod memory;
#[cfg(target_os = "linux")]
mod mounts;
#[cfg(target_os = "linux")]
mod pressure;
#[cfg(target_os = "linux")]
mod probe;
#[cfg(target_os = "linux")]
mod processes;
#[cfg(target_os = "linux")]
mod schedule;
#[cfg(target_os = "linux")]
mod temperatures;
#[cfg(target_os = "linux")]
mod uptime;

use std::{fmt::Debug, io, path::PathBuf, time::Instant};

use metric_flow_protocol::metrics::Sample;
use thiserror::Error;

/// Bytes that one file below `/proc` or `/sys` may have: `/proc/cpuinfo` of a machine with 512 cores has 700 KiB.
const FILE_BYTES_MAX: usize = 4 << 20;

/// One kind of reading, with its open files and the counters of the last time.
trait Collector: Debug + Send {
    /// What it reads, for messages.
    fn name(&self) -> &'static str;

    /// Adds its readings to `sample`. After an error, what could be read is in the sample all the same.
    fn collect(
        &mut self,
        now: Instant,
        buffer: &mut Vec<u8>,
        sample: &mut Sample,
    ) -> Result<(), ReadingError>;
}

/// A reading that failed.
#[derive(Debug, Error)]
enum ReadingError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file does not hold what this kernel interface promises.
    #[cfg(target_os = "linux")]
    #[error("{path} does not look as it should")]
    Malformed {
        /// The file.
        path: PathBuf,
    },
}

impl ReadingError {
    /// Whether the kernel does not offer this reading at all, which is no failure.
    #[cfg(target_os = "linux")]
    fn is_absent(&self) -> bool {
        match self {
            Self::Io { source, .. } => {
                matches!(
                    source.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::Unsupported
                )
            }
            Self::Malformed { .. } => false,
        }
    }
}
