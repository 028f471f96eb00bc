//! Readings of a simulated host: the shape of a real small server, about 250 bytes on the wire.

use std::time::{SystemTime, UNIX_EPOCH};

use metric_flow_protocol::metrics::{
    Cpu, Disk, FileSystem, Interface, Load, Memory, Pressure, Processes, Sample, Temperature,
};

/// The sample of host `index` at its `seq`-th second.
pub fn simulated_sample(index: usize, seq: u64, time_unix_ms: i64) -> Sample {
    let phase = (index as f32) * 0.37 + (seq as f32) * 0.05;
    let used_percent = 35.0 + 30.0 * phase.sin() + (seq % 7) as f32;
    let memory_used = (4_u64 << 30) + ((phase.cos() + 1.0) * 2e9) as u64;
    Sample {
        seq,
        time_unix_ms,
        cpu: Some(Cpu {
            used_percent,
            user_percent: used_percent * 0.7,
            system_percent: used_percent * 0.3,
            iowait_percent: 0.5,
            steal_percent: 0.0,
            core_used_percent: (0..4)
                .map(|core| (used_percent + core as f32 * 3.0).min(100.0))
                .collect(),
            clock_mhz: Some(2_400),
            clock_max_mhz: Some(3_600),
        }),
        load: Some(Load {
            one_minute: used_percent / 12.5,
            five_minutes: 2.0,
            fifteen_minutes: 1.5,
        }),
        memory: Some(Memory {
            total_bytes: 16 << 30,
            used_bytes: memory_used,
            available_bytes: (16 << 30) - memory_used,
            cached_bytes: 3 << 30,
            swap_total_bytes: 0,
            swap_used_bytes: 0,
        }),
        file_systems: vec![FileSystem {
            mount_point: "/".to_owned(),
            device: "/dev/vda1".to_owned(),
            total_bytes: 100 << 30,
            used_bytes: (40 << 30) + seq * 4_096,
        }],
        disks: vec![Disk {
            name: "vda".to_owned(),
            read_bytes_total: seq * 8_192,
            written_bytes_total: seq * 65_536,
            read_operations_total: seq * 2,
            write_operations_total: seq * 9,
        }],
        interfaces: vec![Interface {
            name: "eth0".to_owned(),
            received_bytes_total: seq * 125_000,
            sent_bytes_total: seq * 40_000,
            received_packets_total: seq * 140,
            sent_packets_total: seq * 90,
            received_errors_total: 0,
            sent_errors_total: 0,
        }],
        temperatures: vec![Temperature {
            sensor: "coretemp".to_owned(),
            celsius: 48.5,
        }],
        pressure: Some(Pressure {
            cpu_some_percent: 0.4,
            ..Pressure::default()
        }),
        processes: Some(Processes {
            total: 180,
            running: 2,
        }),
        uptime_seconds: Some(86_400.0 + seq as f64),
    }
}

/// This machine's clock, milliseconds since 1970-01-01 UTC.
pub(super) fn now_unix_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
