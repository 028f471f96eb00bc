//! Clock speed of the processors, from cpufreq, else from `/proc/cpuinfo`.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use metric_flow_protocol::metrics::Sample;

use super::{
    Collector, ReadingError,
    fields::{decimal, lines, number, value_of},
    kept_file::KeptFile,
    schedule::Schedule,
};
use crate::host_root::HostRoot;

/// How long a clock reading holds. Reading it makes the kernel interrupt each core, and older kernels wait 10 ms
/// for it: each second would cost more than all other readings together.
const CLOCK_EVERY: Duration = Duration::from_secs(10);

/// How many cores are asked: the mean of so many is as good as that of 512, and costs less.
const CORES_ASKED_MAX: usize = 16;

/// Reads the clocks every [`CLOCK_EVERY`] and repeats the value in between.
#[derive(Debug)]
pub(super) struct ClockCollector {
    root: HostRoot,
    schedule: Schedule,
    cores: Option<Vec<KeptFile>>,
    cpuinfo: KeptFile,
    now_mhz: Option<u32>,
    max_mhz: Option<u32>,
}

impl ClockCollector {
    pub(super) fn new(root: &HostRoot) -> Self {
        Self {
            root: root.clone(),
            schedule: Schedule::new(CLOCK_EVERY),
            cores: None,
            cpuinfo: KeptFile::new(root.proc("cpuinfo")),
            now_mhz: None,
            max_mhz: None,
        }
    }

    fn refresh(&mut self, buffer: &mut Vec<u8>) -> Result<(), ReadingError> {
        let root = &self.root;
        let cores = self.cores.get_or_insert_with(|| {
            (0..CORES_ASKED_MAX)
                .map(|core| frequency_file(root, core, "scaling_cur_freq"))
                .filter(|path| path.exists())
                .map(KeptFile::new)
                .collect()
        });
        let mut clocks = Mean::default();
        for file in cores {
            // A core that was unplugged has no clock; the mean is of the others.
            if let Ok(text) = file.read(buffer)
                && let Some(kilohertz) = number::<u32>(text)
            {
                clocks.add(f64::from(kilohertz) / 1e3);
            }
        }
        if self.max_mhz.is_none() {
            self.max_mhz = max_clock_mhz(&self.root, buffer);
        }
        if clocks.count == 0 {
            match self.cpuinfo.read(buffer) {
                Ok(text) => cpuinfo_clocks(text).for_each(|megahertz| clocks.add(megahertz)),
                Err(error) if error.is_absent() => {}
                Err(error) => return Err(error),
            }
        }
        self.now_mhz = clocks.value();
        Ok(())
    }
}

impl Collector for ClockCollector {
    fn name(&self) -> &'static str {
        "processor clocks"
    }

    fn collect(
        &mut self,
        now: Instant,
        buffer: &mut Vec<u8>,
        sample: &mut Sample,
    ) -> Result<(), ReadingError> {
        let result = if self.schedule.is_due(now) {
            self.refresh(buffer)
        } else {
            Ok(())
        };
        if let Some(cpu) = &mut sample.cpu {
            cpu.clock_mhz = self.now_mhz;
            cpu.clock_max_mhz = self.max_mhz;
        }
        result
    }
}

/// The highest clock that the first core can reach, in megahertz, where the kernel knows it.
pub(super) fn max_clock_mhz(root: &HostRoot, buffer: &mut Vec<u8>) -> Option<u32> {
    let mut file = KeptFile::new(frequency_file(root, 0, "cpuinfo_max_freq"));
    number::<u32>(file.read(buffer).ok()?).map(|kilohertz| kilohertz / 1_000)
}

fn frequency_file(root: &HostRoot, core: usize, file: &str) -> PathBuf {
    root.sys(&format!("devices/system/cpu/cpu{core}/cpufreq/{file}"))
}

/// The clock of each core in megahertz.
fn cpuinfo_clocks(text: &[u8]) -> impl Iterator<Item = f64> {
    lines(text).filter_map(|line| decimal(value_of(line, "cpu MHz")?))
}

#[derive(Debug, Default)]
struct Mean {
    sum: f64,
    count: u32,
}

impl Mean {
    fn add(&mut self, value: f64) {
        self.sum += value;
        self.count += 1;
    }

    fn value(&self) -> Option<u32> {
        (self.count > 0).then(|| (self.sum / f64::from(self.count)).round() as u32)
    }
}
