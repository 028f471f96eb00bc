//! Memory and swap, from `/proc/meminfo`.

use std::time::Instant;

use metric_flow_protocol::metrics::{Memory, Sample};

use super::{
    Collector, ReadingError,
    fields::{fields, lines, number, value_of},
    kept_file::KeptFile,
};
use crate::host_root::HostRoot;

/// Reads `/proc/meminfo`.
#[derive(Debug)]
pub(super) struct MemoryCollector {
    meminfo: KeptFile,
}

impl MemoryCollector {
    pub(super) fn new(root: &HostRoot) -> Self {
        Self {
            meminfo: KeptFile::new(root.proc("meminfo")),
        }
    }
}

impl Collector for MemoryCollector {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn collect(
        &mut self,
        _now: Instant,
        buffer: &mut Vec<u8>,
        sample: &mut Sample,
    ) -> Result<(), ReadingError> {
        let text = self.meminfo.read(buffer)?;
        sample.memory = parse(text);
        if sample.memory.is_some() {
            Ok(())
        } else {
            Err(self.meminfo.malformed())
        }
    }
}

/// Reads the lines that matter; each name appears once, most of them near the head.
pub(super) fn parse(text: &[u8]) -> Option<Memory> {
    let [mut total, mut free, mut available, mut swap_total, mut swap_free] = [None; 5];
    let mut cached = 0_u64;
    for line in lines(text) {
        let bytes = |name| {
            let kibibytes = number::<u64>(fields(value_of(line, name)?).next()?)?;
            Some(kibibytes.saturating_mul(1024))
        };
        // The first letter decides which names are worth a comparison.
        match line.first() {
            Some(b'M') => {
                total = total.or_else(|| bytes("MemTotal"));
                free = free.or_else(|| bytes("MemFree"));
                available = available.or_else(|| bytes("MemAvailable"));
            }
            Some(b'B' | b'C') => {
                cached = cached.saturating_add(bytes("Buffers").or_else(|| bytes("Cached")).unwrap_or(0));
            }
            Some(b'S') => {
                swap_total = swap_total.or_else(|| bytes("SwapTotal"));
                swap_free = swap_free.or_else(|| bytes("SwapFree"));
                cached = cached.saturating_add(bytes("SReclaimable").unwrap_or(0));
            }
            _ => {}
        }
    }
    let total = total?;
    // Kernels before 3.14 do not estimate it; free memory and caches together come near.
    let available = available
        .unwrap_or_else(|| free.unwrap_or(0).saturating_add(cached))
        .min(total);
    let swap_total = swap_total.unwrap_or(0);
    Some(Memory {
        total_bytes: total,
        used_bytes: total - available,
        available_bytes: available,
        cached_bytes: cached.min(total),
        swap_total_bytes: swap_total,
        swap_used_bytes: swap_total.saturating_sub(swap_free.unwrap_or(0)),
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "a test fails by panicking")]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_kernel_without_an_estimate_gets_one() {
        let memory =
            parse(b"MemTotal: 100 kB\nMemFree: 20 kB\nBuffers: 5 kB\nCached: 15 kB\nSwapCached: 9 kB\n")
                .expect("a meminfo");
        assert_eq!(memory.available_bytes, 40 * 1024);
        assert_eq!(memory.used_bytes, 60 * 1024);
        assert_eq!(memory.swap_total_bytes, 0);
    }

    proptest! {
        #[test]
        fn no_text_panics_and_the_parts_fit_the_whole(
            total: u64, available: u64, cached: u64, garbage in "[A-Za-z0-9: \n-]{0,100}",
        ) {
            let text = format!(
                "MemTotal: {total} kB\nMemAvailable: {available} kB\nCached: {cached} kB\n{garbage}"
            );
            if let Some(memory) = parse(text.as_bytes()) {
                prop_assert!(memory.used_bytes <= memory.total_bytes);
                prop_assert!(memory.available_bytes <= memory.total_bytes);
            }
        }
    }
}
