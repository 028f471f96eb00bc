//! From a full sample to the compact row of the fleet page. Pure.

use metric_flow_protocol::{live::HostRow, metrics::Sample};

/// Sum of the traffic counters of all interfaces at one instant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Traffic {
    time_unix_ms: i64,
    received_bytes: u64,
    sent_bytes: u64,
}

impl Traffic {
    /// The counters of a sample.
    pub(super) fn of(sample: &Sample) -> Self {
        let mut traffic = Self {
            time_unix_ms: sample.time_unix_ms,
            ..Self::default()
        };
        for interface in &sample.interfaces {
            traffic.received_bytes = traffic
                .received_bytes
                .saturating_add(interface.received_bytes_total);
            traffic.sent_bytes = traffic.sent_bytes.saturating_add(interface.sent_bytes_total);
        }
        traffic
    }

    /// Bytes per second received and sent between `before` and `self`. A counter that went back (a reboot, an
    /// interface that left) gives 0, and so does a time that did not move.
    fn rates_since(&self, before: &Self) -> (f32, f32) {
        let elapsed_ms = self.time_unix_ms - before.time_unix_ms;
        if elapsed_ms <= 0 {
            return (0.0, 0.0);
        }
        let rate =
            |now: u64, then: u64| (now.saturating_sub(then) as f64 * 1_000.0 / elapsed_ms as f64) as f32;
        (
            rate(self.received_bytes, before.received_bytes),
            rate(self.sent_bytes, before.sent_bytes),
        )
    }
}

/// The row of a sample, with traffic rates since `before`.
pub(super) fn row_of(id: &str, sample: &Sample, before: Option<&Traffic>) -> (HostRow, Traffic) {
    let traffic = Traffic::of(sample);
    let (received_bytes_per_second, sent_bytes_per_second) =
        before.map_or((0.0, 0.0), |before| traffic.rates_since(before));
    let row = HostRow {
        id: id.to_owned(),
        time_unix_ms: sample.time_unix_ms,
        cpu_used_percent: sample.cpu.as_ref().map_or(0.0, |cpu| cpu.used_percent),
        memory_used_bytes: sample.memory.as_ref().map_or(0, |memory| memory.used_bytes),
        memory_total_bytes: sample.memory.as_ref().map_or(0, |memory| memory.total_bytes),
        received_bytes_per_second,
        sent_bytes_per_second,
        load_one_minute: sample.load.as_ref().map_or(0.0, |load| load.one_minute),
    };
    (row, traffic)
}

#[cfg(test)]
mod tests {
    use metric_flow_protocol::metrics::Interface;

    use super::*;

    fn at(time_unix_ms: i64, received: u64) -> Sample {
        let interface = Interface {
            received_bytes_total: received,
            ..Interface::default()
        };
        Sample {
            time_unix_ms,
            interfaces: vec![interface],
            ..Sample::default()
        }
    }

    #[test]
    fn traffic_is_the_difference_of_two_samples() {
        let (_, before) = row_of("h", &at(1_000, 500), None);
        let (row, _) = row_of("h", &at(3_000, 2_500), Some(&before));
        assert!((row.received_bytes_per_second - 1_000.0).abs() < f32::EPSILON);
    }

    #[test]
    fn a_counter_that_went_back_gives_no_traffic() {
        let (_, before) = row_of("h", &at(1_000, 500), None);
        let (row, _) = row_of("h", &at(2_000, 10), Some(&before));
        assert!(row.received_bytes_per_second.abs() < f32::EPSILON);
    }
}
