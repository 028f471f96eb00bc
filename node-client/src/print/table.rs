//! One reading as a table for people, readable without colour.

use metric_flow_protocol::{
    metrics::{Cpu, Disk, Interface, Memory, Pressure, Sample},
    node::HostFacts,
};

use super::units::{bytes, duration, percent, rate};

/// Width of the column with the names of readings.
const LABEL_WIDTH: usize = 14;

/// Cores in one row of the core list.
const CORES_PER_ROW: usize = 12;

/// Shows `after`, with rates since `before`. A reading that the host does not have has no line.
pub fn table(facts: &HostFacts, before: &Sample, after: &Sample) -> String {
    let seconds = (after.time_unix_ms - before.time_unix_ms) as f64 / 1e3;
    let mut page = Page::default();
    let cores = format!("{} × {}", facts.cpu_cores, facts.cpu_model);
    page.line(
        "Host",
        &[&facts.host_name, &facts.os, &facts.kernel, &facts.architecture],
    );
    if let Some(uptime) = after.uptime_seconds {
        page.line("Up for", &[&duration(uptime)]);
    }
    page.line("Addresses", &[&facts.ip_addresses.join(", ")]);
    page.gap();
    page.line("Processors", &[&cores]);
    if let Some(cpu) = &after.cpu {
        page.processors(cpu);
    }
    if let Some(load) = &after.load {
        let averages =
            [load.one_minute, load.five_minutes, load.fifteen_minutes].map(|one| format!("{one:.2}"));
        page.line("Load", &[&averages.join("  "), "over 1, 5 and 15 minutes"]);
    }
    if let Some(processes) = &after.processes {
        page.line(
            "Processes",
            &[
                &processes.total.to_string(),
                &format!("{} running", processes.running),
            ],
        );
    }
    if let Some(memory) = &after.memory {
        page.memory(memory);
    }
    if let Some(pressure) = &after.pressure {
        page.pressure(pressure);
    }
    page.rows(
        "File systems",
        &["", "used", "of", ""],
        after.file_systems.iter().map(|one| {
            let share = one.used_bytes as f64 * 100.0 / one.total_bytes.max(1) as f64;
            let (used, total) = (bytes(one.used_bytes as f64), bytes(one.total_bytes as f64));
            vec![one.mount_point.clone(), used, total, percent(share)]
        }),
    );
    page.rows(
        "Disks",
        &["", "read", "written", "reads", "writes"],
        after.disks.iter().map(|disk| {
            disk_row(
                before.disks.iter().find(|one| one.name == disk.name),
                disk,
                seconds,
            )
        }),
    );
    page.rows(
        "Interfaces",
        &["", "received", "sent", "packets in", "out", "errors"],
        after.interfaces.iter().map(|interface| {
            let earlier = before.interfaces.iter().find(|one| one.name == interface.name);
            interface_row(earlier, interface, seconds)
        }),
    );
    page.rows(
        "Temperatures",
        &[],
        after
            .temperatures
            .iter()
            .map(|one| vec![one.sensor.clone(), format!("{:.1} °C", one.celsius)]),
    );
    page.text
}

fn disk_row(before: Option<&Disk>, after: &Disk, seconds: f64) -> Vec<String> {
    let rate_of = |counter: fn(&Disk) -> u64| rate(counter(before?), counter(after), seconds);
    vec![
        after.name.clone(),
        per_second(rate_of(|disk| disk.read_bytes_total).map(bytes)),
        per_second(rate_of(|disk| disk.written_bytes_total).map(bytes)),
        per_second(rate_of(|disk| disk.read_operations_total).map(count)),
        per_second(rate_of(|disk| disk.write_operations_total).map(count)),
    ]
}

fn interface_row(before: Option<&Interface>, after: &Interface, seconds: f64) -> Vec<String> {
    let rate_of = |counter: fn(&Interface) -> u64| rate(counter(before?), counter(after), seconds);
    let errors = after
        .received_errors_total
        .saturating_add(after.sent_errors_total);
    vec![
        after.name.clone(),
        per_second(rate_of(|one| one.received_bytes_total).map(bytes)),
        per_second(rate_of(|one| one.sent_bytes_total).map(bytes)),
        per_second(rate_of(|one| one.received_packets_total).map(count)),
        per_second(rate_of(|one| one.sent_packets_total).map(count)),
        format!("{errors} since boot"),
    ]
}

fn per_second(rate: Option<String>) -> String {
    rate.map_or_else(|| "-".to_owned(), |rate| rate + "/s")
}

fn count(rate: f64) -> String {
    format!("{rate:.0}")
}

#[derive(Debug, Default)]
struct Page {
    text: String,
}

impl Page {
    fn gap(&mut self) {
        self.text.push('\n');
    }

    /// A label and the parts that are not empty.
    fn line(&mut self, label: &str, parts: &[&str]) {
        let parts: Vec<&str> = parts.iter().copied().filter(|part| !part.is_empty()).collect();
        if !parts.is_empty() {
            self.text
                .push_str(&format!("{label:<LABEL_WIDTH$}{}\n", parts.join(" · ")));
        }
    }

    fn processors(&mut self, cpu: &Cpu) {
        let parts = [
            ("used", cpu.used_percent),
            ("user", cpu.user_percent),
            ("system", cpu.system_percent),
            ("iowait", cpu.iowait_percent),
            ("steal", cpu.steal_percent),
        ];
        let parts: Vec<String> = parts
            .iter()
            .map(|(name, share)| format!("{name} {}", percent(f64::from(*share))))
            .collect();
        self.line("", &parts.iter().map(String::as_str).collect::<Vec<_>>());
        for (row, cores) in cpu.core_used_percent.chunks(CORES_PER_ROW).enumerate() {
            let shares: String = cores.iter().map(|share| format!("{share:>5.0}")).collect();
            let first = row * CORES_PER_ROW;
            let label = format!("core {first}-{}", first + cores.len() - 1);
            self.text
                .push_str(&format!("{:LABEL_WIDTH$}{label:<11}{shares} %\n", ""));
        }
        let clock = match (cpu.clock_mhz, cpu.clock_max_mhz) {
            (Some(now), Some(max)) => format!("{now} MHz of {max} MHz"),
            (Some(now), None) => format!("{now} MHz"),
            (None, _) => String::new(),
        };
        self.line("Clock", &[&clock]);
    }

    fn memory(&mut self, memory: &Memory) {
        let of = |used: u64, total: u64| {
            let share = percent(used as f64 * 100.0 / total.max(1) as f64);
            format!("{} of {} used, {share}", bytes(used as f64), bytes(total as f64))
        };
        let cached = format!("{} cached", bytes(memory.cached_bytes as f64));
        self.line("Memory", &[&of(memory.used_bytes, memory.total_bytes), &cached]);
        if memory.swap_total_bytes > 0 {
            self.line("Swap", &[&of(memory.swap_used_bytes, memory.swap_total_bytes)]);
        }
    }

    fn pressure(&mut self, pressure: &Pressure) {
        let parts = [
            ("processors", pressure.cpu_some_percent),
            ("memory", pressure.memory_some_percent),
            ("disks", pressure.io_some_percent),
        ];
        let parts: Vec<String> = parts
            .iter()
            .map(|(name, share)| format!("{name} {}", percent(f64::from(*share))))
            .collect();
        let parts: Vec<&str> = parts
            .iter()
            .map(String::as_str)
            .chain(["of 10 s waited for"])
            .collect();
        self.line("Pressure", &parts);
    }

    /// A titled table; nothing at all when it has no rows.
    fn rows(&mut self, title: &str, head: &[&str], rows: impl Iterator<Item = Vec<String>>) {
        let rows: Vec<Vec<String>> = rows.collect();
        if rows.is_empty() {
            return;
        }
        let head: Vec<String> = head.iter().map(|cell| (*cell).to_owned()).collect();
        let width = |column: usize| {
            let cells = rows.iter().chain([&head]).filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        self.text.push_str(&format!("\n{title}\n"));
        let shown_head = (!head.is_empty()).then_some(&head);
        for row in shown_head.into_iter().chain(&rows) {
            let mut line = String::new();
            for (column, cell) in row.iter().enumerate() {
                let width = width(column);
                // Names stand left, numbers right.
                line.push_str(&if column == 0 {
                    format!("  {cell:<width$}")
                } else {
                    format!("  {cell:>width$}")
                });
            }
            self.text.push_str(line.trim_end());
            self.text.push('\n');
        }
    }
}
