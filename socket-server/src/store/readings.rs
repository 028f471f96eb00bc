//! From named readings back to a sample: the inverse of [`visit_readings`](super::series::visit_readings). Pure.

use metric_flow_protocol::metrics::{
    Cpu, Disk, FileSystem, Interface, Load, Memory, Pressure, Processes, Sample, Temperature,
};

/// Puts one reading back into its sample; a name that no sample has is skipped.
///
/// Integers come back exactly up to 2^53. The device of a file system and the highest clock are no readings.
pub fn restore_reading(sample: &mut Sample, name: &str, value: f64) {
    match name.split_once(':') {
        Some((base, instance)) => restore_instance(sample, base, instance, value),
        None => restore_machine(sample, name, value),
    }
}

fn restore_machine(sample: &mut Sample, name: &str, value: f64) {
    let small = value as f32;
    let whole = value as u64;
    match name {
        "cpu_used_percent" => cpu(sample).used_percent = small,
        "cpu_user_percent" => cpu(sample).user_percent = small,
        "cpu_system_percent" => cpu(sample).system_percent = small,
        "cpu_iowait_percent" => cpu(sample).iowait_percent = small,
        "cpu_steal_percent" => cpu(sample).steal_percent = small,
        "clock_mhz" => cpu(sample).clock_mhz = Some(value as u32),
        "load_one_minute" => load(sample).one_minute = small,
        "load_five_minutes" => load(sample).five_minutes = small,
        "load_fifteen_minutes" => load(sample).fifteen_minutes = small,
        "memory_used_bytes" => memory(sample).used_bytes = whole,
        "memory_total_bytes" => memory(sample).total_bytes = whole,
        "memory_available_bytes" => memory(sample).available_bytes = whole,
        "memory_cached_bytes" => memory(sample).cached_bytes = whole,
        "swap_used_bytes" => memory(sample).swap_used_bytes = whole,
        "swap_total_bytes" => memory(sample).swap_total_bytes = whole,
        "pressure_cpu_some_percent" => pressure(sample).cpu_some_percent = small,
        "pressure_memory_some_percent" => pressure(sample).memory_some_percent = small,
        "pressure_memory_full_percent" => pressure(sample).memory_full_percent = small,
        "pressure_io_some_percent" => pressure(sample).io_some_percent = small,
        "pressure_io_full_percent" => pressure(sample).io_full_percent = small,
        "processes_total" => processes(sample).total = value as u32,
        "processes_running" => processes(sample).running = value as u32,
        "uptime_seconds" => sample.uptime_seconds = Some(value),
        _ => {}
    }
}

fn restore_instance(sample: &mut Sample, base: &str, instance: &str, value: f64) {
    let whole = value as u64;
    match base {
        "core_used_percent" => cpu(sample).core_used_percent.push(value as f32),
        "file_system_used_bytes" => file_system(sample, instance).used_bytes = whole,
        "file_system_total_bytes" => file_system(sample, instance).total_bytes = whole,
        "disk_read_bytes_per_second" => disk(sample, instance).read_bytes_total = whole,
        "disk_written_bytes_per_second" => disk(sample, instance).written_bytes_total = whole,
        "disk_read_operations_per_second" => disk(sample, instance).read_operations_total = whole,
        "disk_write_operations_per_second" => disk(sample, instance).write_operations_total = whole,
        "interface_received_bytes_per_second" => interface(sample, instance).received_bytes_total = whole,
        "interface_sent_bytes_per_second" => interface(sample, instance).sent_bytes_total = whole,
        "interface_received_packets_per_second" => interface(sample, instance).received_packets_total = whole,
        "interface_sent_packets_per_second" => interface(sample, instance).sent_packets_total = whole,
        "interface_received_errors_per_second" => interface(sample, instance).received_errors_total = whole,
        "interface_sent_errors_per_second" => interface(sample, instance).sent_errors_total = whole,
        "temperature_celsius" => sample.temperatures.push(Temperature {
            sensor: instance.to_owned(),
            celsius: value as f32,
        }),
        _ => {}
    }
}

fn cpu(sample: &mut Sample) -> &mut Cpu {
    sample.cpu.get_or_insert_default()
}

fn load(sample: &mut Sample) -> &mut Load {
    sample.load.get_or_insert_default()
}

fn memory(sample: &mut Sample) -> &mut Memory {
    sample.memory.get_or_insert_default()
}

fn pressure(sample: &mut Sample) -> &mut Pressure {
    sample.pressure.get_or_insert_default()
}

fn processes(sample: &mut Sample) -> &mut Processes {
    sample.processes.get_or_insert_default()
}

macro_rules! entry_of {
    ($function:ident, $list:ident, $type:ident, $key:ident) => {
        fn $function<'a>(sample: &'a mut Sample, instance: &str) -> &'a mut $type {
            let list = &mut sample.$list;
            let position = list.iter().position(|entry| entry.$key == instance);
            let position = position.unwrap_or_else(|| {
                list.push($type {
                    $key: instance.to_owned(),
                    ..$type::default()
                });
                list.len() - 1
            });
            &mut list[position]
        }
    };
}

entry_of!(file_system, file_systems, FileSystem, mount_point);
entry_of!(disk, disks, Disk, name);
entry_of!(interface, interfaces, Interface, name);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::series::visit_readings;

    #[test]
    fn a_sample_survives_the_way_through_its_readings() {
        let sample = Sample {
            cpu: Some(Cpu {
                used_percent: 12.34,
                core_used_percent: vec![1.5, 99.9],
                clock_mhz: Some(2_400),
                ..Cpu::default()
            }),
            memory: Some(Memory {
                total_bytes: (1 << 53) - 1,
                ..Memory::default()
            }),
            file_systems: vec![FileSystem {
                mount_point: "/a:b".to_owned(),
                used_bytes: 7,
                ..FileSystem::default()
            }],
            disks: vec![Disk {
                name: "sda".to_owned(),
                read_bytes_total: 1,
                ..Disk::default()
            }],
            interfaces: vec![Interface {
                name: "eth0".to_owned(),
                sent_errors_total: 3,
                ..Interface::default()
            }],
            temperatures: vec![Temperature {
                sensor: "cpu".to_owned(),
                celsius: 41.5,
            }],
            pressure: Some(Pressure::default()),
            processes: Some(Processes { total: 9, running: 1 }),
            uptime_seconds: Some(1.25),
            load: Some(Load::default()),
            ..Sample::default()
        };
        let mut restored = Sample::default();
        visit_readings(&sample, |name, _, value| {
            restore_reading(&mut restored, name, value)
        });
        assert_eq!(restored, sample);
    }
}
