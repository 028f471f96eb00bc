//! Temperatures, from `/sys/class/hwmon` and `/sys/class/thermal`.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use metric_flow_protocol::metrics::{Sample, Temperature};

use super::{
    Collector, ReadingError,
    fields::{decimal, text},
    kept_file::KeptFile,
    schedule::Schedule,
};
use crate::host_root::HostRoot;

/// How long readings hold: sensors on slow buses take milliseconds each, and heat moves slowly.
const READ_EVERY: Duration = Duration::from_secs(5);

/// How often sensors are looked for: modules and drives may come later.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Most sensors of one host: large servers have a few dozen.
const SENSORS_MAX: usize = 64;

/// What a working sensor can show, in degrees Celsius; one that is not connected shows -128, -273 or 255.
const PLAUSIBLE: std::ops::RangeInclusive<f64> = -60.0..=200.0;

/// Reads every sensor each [`READ_EVERY`] and repeats the values in between.
#[derive(Debug)]
pub(super) struct TemperatureCollector {
    root: HostRoot,
    look: Schedule,
    read: Schedule,
    sensors: Vec<Sensor>,
    values: Vec<Temperature>,
}

#[derive(Debug)]
struct Sensor {
    name: String,
    file: KeptFile,
}

impl TemperatureCollector {
    pub(super) fn new(root: &HostRoot) -> Self {
        Self {
            root: root.clone(),
            look: Schedule::new(LOOK_EVERY),
            read: Schedule::new(READ_EVERY),
            sensors: Vec::new(),
            values: Vec::new(),
        }
    }

    fn refresh(&mut self, buffer: &mut Vec<u8>) -> Result<(), ReadingError> {
        self.values.clear();
        let mut first_error = None;
        for sensor in &mut self.sensors {
            match sensor.file.read(buffer) {
                Ok(content) => {
                    self.values
                        .extend(
                            decimal(content)
                                .map(|thousandths| thousandths / 1e3)
                                .and_then(|celsius| {
                                    let sensor = sensor.name.clone();
                                    PLAUSIBLE.contains(&celsius).then_some(Temperature {
                                        sensor,
                                        celsius: celsius as f32,
                                    })
                                }),
                        )
                }
                Err(error) => drop(first_error.get_or_insert(error)),
            }
        }
        first_error.map_or(Ok(()), Err)
    }
}

impl Collector for TemperatureCollector {
    fn name(&self) -> &'static str {
        "temperatures"
    }

    fn collect(
        &mut self,
        now: Instant,
        buffer: &mut Vec<u8>,
        sample: &mut Sample,
    ) -> Result<(), ReadingError> {
        if self.look.is_due(now) {
            let found = find(&self.root);
            let same = found.len() == self.sensors.len()
                && found
                    .iter()
                    .zip(&self.sensors)
                    .all(|(new, old)| new.name == old.name && new.file.path() == old.file.path());
            if !same {
                self.sensors = found;
            }
        }
        let result = if self.read.is_due(now) {
            self.refresh(buffer)
        } else {
            Ok(())
        };
        sample.temperatures.clone_from(&self.values);
        result
    }
}

/// All sensors, in an order that stays the same, each with a name of its own.
fn find(root: &HostRoot) -> Vec<Sensor> {
    let mut found = Vec::new();
    let mut chips = Vec::new();
    for chip in folders(&root.sys("class/hwmon"), "hwmon") {
        let name = first_line(&chip.join("name")).unwrap_or_else(|| "hwmon".to_owned());
        for input in folders(&chip, "temp") {
            let Some(stem) = input.to_str().and_then(|path| path.strip_suffix("_input")) else {
                continue;
            };
            let label = first_line(Path::new(&format!("{stem}_label")));
            let label = label
                .or_else(|| Some(stem.rsplit('/').next()?.to_owned()))
                .unwrap_or_default();
            found.push((format!("{name} {label}"), input));
        }
        chips.push(name);
    }
    for zone in folders(&root.sys("class/thermal"), "thermal_zone") {
        // Most zones are a chip above as well; the kernel names that chip after the zone's type, without dashes.
        let name = first_line(&zone.join("type")).unwrap_or_else(|| "thermal_zone".to_owned());
        if !chips
            .iter()
            .any(|chip| *chip == name || *chip == name.replace('-', "_"))
        {
            found.push((name, zone.join("temp")));
        }
    }
    found.truncate(SENSORS_MAX);
    with_own_names(found)
}

/// Two processors have sensors of one name: the later ones get a number.
fn with_own_names(found: Vec<(String, PathBuf)>) -> Vec<Sensor> {
    let mut sensors: Vec<Sensor> = Vec::with_capacity(found.len());
    for (name, path) in found {
        let mut own = name.clone();
        let mut number = 1;
        while sensors.iter().any(|sensor| sensor.name == own) {
            number += 1;
            own = format!("{name} #{number}");
        }
        sensors.push(Sensor {
            name: own,
            file: KeptFile::new(path),
        });
    }
    sensors
}

/// Entries of a folder whose name begins with `prefix`, by number and not by letter: `temp2` before `temp10`.
fn folders(folder: &Path, prefix: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<(u32, String)> = entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let rest = name.strip_prefix(prefix)?;
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            Some((rest.get(..digits)?.parse().ok()?, name))
        })
        .collect();
    paths.sort();
    paths.into_iter().map(|(_, name)| folder.join(name)).collect()
}

fn first_line(path: &Path) -> Option<String> {
    let content = fs::read(path).ok()?;
    let line = text(content.split(|&byte| byte == b'\n').next()?.trim_ascii());
    (!line.is_empty()).then_some(line)
}
