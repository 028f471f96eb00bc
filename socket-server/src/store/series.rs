//! From a sample to named series, and from two counters to a rate. Pure.

use std::{collections::HashMap, fmt::Write as _};

use metric_flow_protocol::metrics::Sample;

use super::SeriesAggregate;

/// Longest time between two samples over which a rate is still a rate, in milliseconds: past a minute the mean
/// would hide what happened.
pub const RATE_SPAN_MS_MAX: i64 = 60_000;

/// Whether a reading stands for itself or only its growth means something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeriesKind {
    /// The value itself.
    Gauge,
    /// A total since boot; read as growth a second.
    Counter,
}

/// Calls `visit` with the name, the kind and the value of every reading of a sample.
pub fn visit_readings(sample: &Sample, mut visit: impl FnMut(&str, SeriesKind, f64)) {
    visit_machine(sample, &mut visit);
    let mut name = String::with_capacity(64);
    let mut instance = |visit: &mut dyn FnMut(&str, SeriesKind, f64), base: &str, of: &str, kind, value| {
        name.clear();
        name.push_str(base);
        name.push(':');
        name.push_str(of);
        visit(&name, kind, value);
    };
    if let Some(cpu) = &sample.cpu {
        let mut number = String::new();
        for (core, used) in cpu.core_used_percent.iter().enumerate() {
            number.clear();
            // Writing to a string cannot fail.
            let _ = write!(number, "{core}");
            instance(
                &mut visit,
                "core_used_percent",
                &number,
                SeriesKind::Gauge,
                f64::from(*used),
            );
        }
    }
    for file_system in &sample.file_systems {
        let mount = &file_system.mount_point;
        let (used, total) = (file_system.used_bytes as f64, file_system.total_bytes as f64);
        instance(
            &mut visit,
            "file_system_used_bytes",
            mount,
            SeriesKind::Gauge,
            used,
        );
        instance(
            &mut visit,
            "file_system_total_bytes",
            mount,
            SeriesKind::Gauge,
            total,
        );
    }
    for disk in &sample.disks {
        for (base, total) in [
            ("disk_read_bytes_per_second", disk.read_bytes_total),
            ("disk_written_bytes_per_second", disk.written_bytes_total),
            ("disk_read_operations_per_second", disk.read_operations_total),
            ("disk_write_operations_per_second", disk.write_operations_total),
        ] {
            instance(&mut visit, base, &disk.name, SeriesKind::Counter, total as f64);
        }
    }
    for interface in &sample.interfaces {
        for (base, total) in [
            (
                "interface_received_bytes_per_second",
                interface.received_bytes_total,
            ),
            ("interface_sent_bytes_per_second", interface.sent_bytes_total),
            (
                "interface_received_packets_per_second",
                interface.received_packets_total,
            ),
            ("interface_sent_packets_per_second", interface.sent_packets_total),
            (
                "interface_received_errors_per_second",
                interface.received_errors_total,
            ),
            ("interface_sent_errors_per_second", interface.sent_errors_total),
        ] {
            instance(
                &mut visit,
                base,
                &interface.name,
                SeriesKind::Counter,
                total as f64,
            );
        }
    }
    for temperature in &sample.temperatures {
        let celsius = f64::from(temperature.celsius);
        instance(
            &mut visit,
            "temperature_celsius",
            &temperature.sensor,
            SeriesKind::Gauge,
            celsius,
        );
    }
}

/// Number of the field of [`Sample`] that a series is read from; none where no sample can have such a series.
pub fn field_of(series: &str) -> Option<u32> {
    let (group, _) = series.split_once('_')?;
    Some(match group {
        "cpu" | "clock" | "core" => 3,
        "load" => 4,
        "memory" | "swap" => 5,
        "file" => 6,
        "disk" => 7,
        "interface" => 8,
        "temperature" => 9,
        "pressure" => 10,
        "processes" => 11,
        "uptime" => 12,
        _ => return None,
    })
}

/// Places of series by their names. Samples of one host mostly have the same readings in the same order; then one
/// comparison finds a place.
#[derive(Debug, Default)]
pub struct SeriesPlaces {
    names: Vec<String>,
    by_name: HashMap<String, usize>,
    expected: usize,
}

impl SeriesPlaces {
    /// Goes on with the next sample.
    pub fn begin_sample(&mut self) {
        self.expected = 0;
    }

    /// Where a series is; one that comes for the first time gets the next place.
    pub fn place(&mut self, name: &str) -> usize {
        let is_expected = self.names.get(self.expected).is_some_and(|known| known == name);
        let known = is_expected.then_some(self.expected);
        let place = known
            .or_else(|| self.by_name.get(name).copied())
            .unwrap_or_else(|| {
                self.by_name.insert(name.to_owned(), self.names.len());
                self.names.push(name.to_owned());
                self.names.len() - 1
            });
        self.expected = place + 1;
        place
    }

    /// The names by their places.
    pub fn names(&self) -> &[String] {
        &self.names
    }
}

/// Growth a second between two readings of a counter, given as (time, total); none after a reset, a clock that
/// did not advance, or more than [`RATE_SPAN_MS_MAX`].
pub fn rate_per_second(before: (i64, f64), now: (i64, f64)) -> Option<f64> {
    let span_ms = now.0.saturating_sub(before.0);
    let usable = span_ms > 0 && span_ms <= RATE_SPAN_MS_MAX && now.1 >= before.1;
    usable.then(|| (now.1 - before.1) * 1_000.0 / span_ms as f64)
}

/// Turns samples, given in the order of their time, into the values of their series.
#[derive(Debug, Default)]
pub struct RateTracker {
    places: SeriesPlaces,
    /// By the places of the series: the newest time and total of a counter.
    totals: Vec<Option<(i64, f64)>>,
}

impl RateTracker {
    /// Calls `visit` with the place, name and value of every series of the next sample; a counter's first value, one
    /// after a reset, and one after more than [`RATE_SPAN_MS_MAX`] has no rate.
    pub fn next(&mut self, sample: &Sample, mut visit: impl FnMut(usize, &str, f64)) {
        self.places.begin_sample();
        visit_readings(sample, |name, kind, value| {
            let place = self.places.place(name);
            if place == self.totals.len() {
                self.totals.push(None);
            }
            let shown = match kind {
                SeriesKind::Gauge => Some(value),
                SeriesKind::Counter => {
                    let now = (sample.time_unix_ms, value);
                    let before = self.totals[place].replace(now);
                    before.and_then(|before| rate_per_second(before, now))
                }
            };
            if let Some(shown) = shown {
                visit(place, name, shown);
            }
        });
    }

    /// The names of the series by their places.
    pub fn names(&self) -> &[String] {
        self.places.names()
    }
}

/// Adds a value to what a step holds already; values must come in the order of their time.
pub fn add_value(step: &mut Option<SeriesAggregate>, value: f64) {
    if !value.is_finite() {
        return;
    }
    match step {
        Some(step) => {
            step.min = step.min.min(value);
            step.max = step.max.max(value);
            step.sum += value;
            step.last = value;
            step.count = step.count.saturating_add(1);
        }
        None => {
            *step = Some(SeriesAggregate {
                min: value,
                max: value,
                sum: value,
                last: value,
                count: 1,
            })
        }
    }
}

fn visit_machine(sample: &Sample, visit: &mut impl FnMut(&str, SeriesKind, f64)) {
    let mut gauge = |name: &str, value: f64| visit(name, SeriesKind::Gauge, value);
    if let Some(cpu) = &sample.cpu {
        gauge("cpu_used_percent", f64::from(cpu.used_percent));
        gauge("cpu_user_percent", f64::from(cpu.user_percent));
        gauge("cpu_system_percent", f64::from(cpu.system_percent));
        gauge("cpu_iowait_percent", f64::from(cpu.iowait_percent));
        gauge("cpu_steal_percent", f64::from(cpu.steal_percent));
        if let Some(clock) = cpu.clock_mhz {
            gauge("clock_mhz", f64::from(clock));
        }
    }
    if let Some(load) = &sample.load {
        gauge("load_one_minute", f64::from(load.one_minute));
        gauge("load_five_minutes", f64::from(load.five_minutes));
        gauge("load_fifteen_minutes", f64::from(load.fifteen_minutes));
    }
    if let Some(memory) = &sample.memory {
        gauge("memory_used_bytes", memory.used_bytes as f64);
        gauge("memory_total_bytes", memory.total_bytes as f64);
        gauge("memory_available_bytes", memory.available_bytes as f64);
        gauge("memory_cached_bytes", memory.cached_bytes as f64);
        gauge("swap_used_bytes", memory.swap_used_bytes as f64);
        gauge("swap_total_bytes", memory.swap_total_bytes as f64);
    }
    if let Some(pressure) = &sample.pressure {
        gauge("pressure_cpu_some_percent", f64::from(pressure.cpu_some_percent));
        gauge(
            "pressure_memory_some_percent",
            f64::from(pressure.memory_some_percent),
        );
        gauge(
            "pressure_memory_full_percent",
            f64::from(pressure.memory_full_percent),
        );
        gauge("pressure_io_some_percent", f64::from(pressure.io_some_percent));
        gauge("pressure_io_full_percent", f64::from(pressure.io_full_percent));
    }
    if let Some(processes) = &sample.processes {
        gauge("processes_total", f64::from(processes.total));
        gauge("processes_running", f64::from(processes.running));
    }
    if let Some(uptime) = sample.uptime_seconds {
        gauge("uptime_seconds", uptime);
    }
}
