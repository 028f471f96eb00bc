//! Readings that no store could keep. Pure.

use metric_flow_protocol::metrics::Sample;

/// Largest reading: stores keep signed integers of 64 bits, and no counter of a machine comes near.
const READING_MAX: u64 = i64::MAX as u64;

/// Sets readings above [`READING_MAX`] to it; returns how many there were.
pub fn confine(samples: &mut [Sample]) -> usize {
    let mut confined = 0;
    for sample in samples {
        for reading in readings(sample) {
            if *reading > READING_MAX {
                *reading = READING_MAX;
                confined += 1;
            }
        }
    }
    confined
}

fn readings(sample: &mut Sample) -> impl Iterator<Item = &mut u64> {
    let memory = sample.memory.iter_mut().flat_map(|memory| {
        [
            &mut memory.total_bytes,
            &mut memory.used_bytes,
            &mut memory.available_bytes,
            &mut memory.cached_bytes,
            &mut memory.swap_total_bytes,
            &mut memory.swap_used_bytes,
        ]
    });
    let file_systems = sample
        .file_systems
        .iter_mut()
        .flat_map(|of| [&mut of.total_bytes, &mut of.used_bytes]);
    let disks = sample.disks.iter_mut().flat_map(|disk| {
        [
            &mut disk.read_bytes_total,
            &mut disk.written_bytes_total,
            &mut disk.read_operations_total,
            &mut disk.write_operations_total,
        ]
    });
    let interfaces = sample.interfaces.iter_mut().flat_map(|interface| {
        [
            &mut interface.received_bytes_total,
            &mut interface.sent_bytes_total,
            &mut interface.received_packets_total,
            &mut interface.sent_packets_total,
            &mut interface.received_errors_total,
            &mut interface.sent_errors_total,
        ]
    });
    memory.chain(file_systems).chain(disks).chain(interfaces)
}

#[cfg(test)]
mod tests {
    use metric_flow_protocol::metrics::{Disk, Memory};

    use super::*;

    #[test]
    fn what_no_store_could_keep_becomes_the_largest_that_it_can() {
        let mut samples = [Sample {
            memory: Some(Memory {
                total_bytes: u64::MAX,
                used_bytes: 7,
                ..Memory::default()
            }),
            disks: vec![Disk {
                written_bytes_total: READING_MAX + 1,
                ..Disk::default()
            }],
            ..Sample::default()
        }];
        assert_eq!(confine(&mut samples), 2);
        assert_eq!(confine(&mut samples), 0);
        let memory = samples[0]
            .memory
            .as_ref()
            .map(|memory| (memory.total_bytes, memory.used_bytes));
        assert_eq!(memory, Some((READING_MAX, 7)));
    }
}
