//! How much a spool keeps.

use std::time::Duration;

/// Longest that a sample waits: a server keeps raw seconds for two days by default, minutes for thirty; older than a
/// week is rarely worth its replay.
pub const AGE_MAX: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Size of a segment: about ten minutes of samples. It is what is dropped at once when the spool is full, what is read
/// at once when it is replayed, and so what replay costs in memory.
pub const SEGMENT_BYTES: u64 = 128 * 1024;

/// Most samples that wait in memory while the disk cannot be written, in encoded bytes: about an hour.
pub const MEMORY_BYTES_MAX: u64 = 1024 * 1024;

/// How often what was written is forced to the disk. A power cut loses at most this much; each second would wear
/// out flash cards for little.
pub const SYNC_EVERY: Duration = Duration::from_secs(5);

/// The bounds of a spool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpoolLimits {
    /// Most bytes on disk.
    pub bytes_max: u64,
    /// Longest that a sample waits.
    pub age_max: Duration,
    /// Size at which a segment is closed.
    pub segment_bytes: u64,
    /// Most bytes in memory while the disk cannot be written.
    pub memory_bytes_max: u64,
}

impl SpoolLimits {
    /// The defaults, with at most `bytes_max` on disk.
    pub fn with_bytes(bytes_max: u64) -> Self {
        Self {
            bytes_max,
            age_max: AGE_MAX,
            segment_bytes: SEGMENT_BYTES.min(bytes_max / 4).max(4096),
            memory_bytes_max: MEMORY_BYTES_MAX,
        }
    }
}
