//! The machine that a figure belongs to; nothing in it names the person or the place.

use std::fs;

use serde::{Deserialize, Serialize};

/// What of a machine changes its figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// As the kernel names the processor.
    pub processor: String,
    /// Logical processors that this process may use.
    pub cores: usize,
    /// Memory, in GiB.
    pub memory_gib: u64,
    /// Kernel release.
    pub kernel: String,
    /// Distribution.
    pub system: String,
}

impl Machine {
    /// This one.
    pub fn here() -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let field = |text: &str, name: &str, separator: char| {
            text.lines()
                .find(|line| line.starts_with(name))
                .and_then(|line| line.split_once(separator))
                .map(|(_, value)| value.trim().trim_matches('"').to_owned())
                .unwrap_or_default()
        };
        let memory_kib: u64 = field(&read("/proc/meminfo"), "MemTotal", ':')
            .trim_end_matches(" kB")
            .parse()
            .unwrap_or(0);
        Self {
            processor: field(&read("/proc/cpuinfo"), "model name", ':'),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_gib: (memory_kib + (1 << 19)) >> 20,
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            system: field(&read("/etc/os-release"), "PRETTY_NAME", '='),
        }
    }

    /// As one sentence.
    pub fn sentence(&self) -> String {
        let Self {
            processor,
            cores,
            memory_gib,
            kernel,
            system,
        } = self;
        format!("{cores} cores ({processor}), {memory_gib} GiB, {system}, Linux {kernel}; loopback only.")
    }
}
