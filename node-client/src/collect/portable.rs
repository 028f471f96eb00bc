//! Readings of systems other than Linux, from sysinfo.

use std::time::Instant;

use metric_flow_protocol::metrics::{
    Cpu, Disk, FileSystem, Interface, Load, Memory, Processes, Sample, Temperature,
};
use sysinfo::{Components, Disks, Networks, ProcessRefreshKind, ProcessStatus, ProcessesToUpdate, System};

use super::{Collector, ReadingError};

/// Keeps sysinfo's state between readings: its rates are differences to the reading before.
#[derive(Debug)]
pub struct Portable {
    system: Option<System>,
    disks: Option<Disks>,
    networks: Option<Networks>,
    components: Option<Components>,
}

impl Default for Portable {
    fn default() -> Self {
        Self::new()
    }
}

impl Portable {
    /// Finds the disks, interfaces and sensors there are. What the system does not offer stays out of all samples.
    pub fn new() -> Self {
        Self {
            system: System::new().ok(),
            disks: Disks::new_with_refreshed_list().ok(),
            networks: Networks::new_with_refreshed_list().ok(),
            components: Components::new_with_refreshed_list().ok(),
        }
    }

    /// Adds all that sysinfo knows to `sample`. The modes of processor time and pressure stay out: it has none.
    pub fn read(&mut self, sample: &mut Sample) {
        if let Some(system) = &mut self.system {
            read_system(system, sample);
        }
        if let Some(disks) = &mut self.disks {
            read_disks(disks, sample);
        }
        if let Some(networks) = &mut self.networks {
            read_interfaces(networks, sample);
        }
        if let Some(components) = &mut self.components {
            components.refresh(true);
            sample
                .temperatures
                .extend(components.iter().filter_map(|component| {
                    let celsius = component.temperature().filter(|celsius| celsius.is_finite())?;
                    Some(Temperature {
                        sensor: component.label().to_owned(),
                        celsius,
                    })
                }));
        }
    }
}

fn read_system(system: &mut System, sample: &mut Sample) {
    system.refresh_cpu_all();
    system.refresh_memory();
    system.refresh_processes_specifics(
        ProcessesToUpdate::All,
        true,
        ProcessRefreshKind::nothing().without_tasks(),
    );
    let clocks: Vec<u64> = system
        .cpus()
        .iter()
        .map(sysinfo::Cpu::frequency)
        .filter(|clock| *clock > 0)
        .collect();
    let clock_mhz = clocks.iter().sum::<u64>().checked_div(clocks.len() as u64);
    sample.cpu = Some(Cpu {
        used_percent: system.global_cpu_usage(),
        core_used_percent: system.cpus().iter().map(sysinfo::Cpu::usage).collect(),
        clock_mhz: clock_mhz.and_then(|clock| u32::try_from(clock).ok()),
        ..Cpu::default()
    });
    sample.load = System::load_average().ok().map(|load| Load {
        one_minute: load.one as f32,
        five_minutes: load.five as f32,
        fifteen_minutes: load.fifteen as f32,
    });
    let total = system.total_memory();
    let available = system.available_memory().min(total);
    sample.memory = Some(Memory {
        total_bytes: total,
        used_bytes: total - available,
        available_bytes: available,
        cached_bytes: available.saturating_sub(system.free_memory()),
        swap_total_bytes: system.total_swap(),
        swap_used_bytes: system.used_swap(),
    });
    let processes = system.processes();
    let running = processes
        .values()
        .filter(|one| one.status() == ProcessStatus::Run)
        .count();
    sample.processes = Some(Processes {
        total: u32::try_from(processes.len()).unwrap_or(u32::MAX),
        running: u32::try_from(running).unwrap_or(u32::MAX),
    });
    sample.uptime_seconds = System::uptime().ok().map(|seconds| seconds as f64);
}

fn read_disks(disks: &mut Disks, sample: &mut Sample) {
    disks.refresh(true);
    for disk in &*disks {
        let name = disk.name().to_string_lossy().into_owned();
        let usage = disk.usage();
        // One disk may hold several file systems; its counters are the same for each.
        if !sample.disks.iter().any(|other| other.name == name) {
            sample.disks.push(Disk {
                name: name.clone(),
                read_bytes_total: usage.total_read_bytes,
                written_bytes_total: usage.total_written_bytes,
                ..Disk::default()
            });
        }
        sample.file_systems.push(FileSystem {
            mount_point: disk.mount_point().to_string_lossy().into_owned(),
            device: name,
            total_bytes: disk.total_space(),
            used_bytes: disk.total_space().saturating_sub(disk.available_space()),
        });
    }
}

fn read_interfaces(networks: &mut Networks, sample: &mut Sample) {
    networks.refresh(true);
    for (name, data) in &*networks {
        if data
            .ip_networks()
            .iter()
            .any(|network| network.addr.is_loopback())
        {
            continue;
        }
        sample.interfaces.push(Interface {
            name: name.to_string_lossy().into_owned(),
            received_bytes_total: data.total_received(),
            sent_bytes_total: data.total_transmitted(),
            received_packets_total: data.total_packets_received(),
            sent_packets_total: data.total_packets_transmitted(),
            received_errors_total: data.total_errors_on_received(),
            sent_errors_total: data.total_errors_on_transmitted(),
        });
    }
    sample
        .interfaces
        .sort_by(|left, right| left.name.cmp(&right.name));
}

impl Collector for Portable {
    fn name(&self) -> &'static str {
        "the system"
    }

    fn collect(
        &mut self,
        _now: Instant,
        _buffer: &mut Vec<u8>,
        sample: &mut Sample,
    ) -> Result<(), ReadingError> {
        self.read(sample);
        Ok(())
    }
}
