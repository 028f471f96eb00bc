//! Share of processor time by mode and by core, from `/proc/stat`.

use std::time::Instant;

use metric_flow_protocol::metrics::{Cpu, Sample};

use super::{
    Collector, ReadingError,
    cpu_shares::{Change, CpuShares, CpuTimes},
    fields::{lines, number},
    kept_file::KeptFile,
};
use crate::host_root::HostRoot;

/// Highest core number that is believed: Linux supports 8,192 processors.
const CORES_MAX: usize = 8_192;

/// Reads `/proc/stat` and compares it with the reading before.
#[derive(Debug)]
pub(super) struct CpuCollector {
    stat: KeptFile,
    all: Option<Counter>,
    cores: Vec<Core>,
    reading: u64,
}

/// Times of the last reading, and the shares that they gave.
#[derive(Debug, Clone, Copy)]
struct Counter {
    times: CpuTimes,
    shares: Option<CpuShares>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Core {
    counter: Option<Counter>,
    reading: u64,
}

impl Counter {
    /// Takes a new reading in. Without a tick between the two, the shares before still hold.
    fn advance(before: Option<Self>, times: CpuTimes) -> Self {
        let Some(before) = before else {
            return Self { times, shares: None };
        };
        match times.since(&before.times) {
            Change::Nothing => before,
            Change::Reset => Self { times, shares: None },
            Change::Shares(shares) => Self {
                times,
                shares: Some(shares),
            },
        }
    }
}

impl CpuCollector {
    pub(super) fn new(root: &HostRoot) -> Self {
        Self {
            stat: KeptFile::new(root.proc("stat")),
            all: None,
            cores: Vec::new(),
            reading: 0,
        }
    }

    fn take(&mut self, line: &[u8]) -> Option<()> {
        let times = CpuTimes::parse(line)?;
        let name = line.strip_prefix(b"cpu")?;
        let digits = name.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 {
            self.all = Some(Counter::advance(self.all, times));
            return Some(());
        }
        let index = number::<usize>(name.get(..digits)?).filter(|index| *index < CORES_MAX)?;
        if index >= self.cores.len() {
            self.cores.resize(index + 1, Core::default());
        }
        let core = self.cores.get_mut(index)?;
        *core = Core {
            counter: Some(Counter::advance(core.counter, times)),
            reading: self.reading,
        };
        Some(())
    }
}

impl Collector for CpuCollector {
    fn name(&self) -> &'static str {
        "processors"
    }

    fn collect(
        &mut self,
        _now: Instant,
        buffer: &mut Vec<u8>,
        sample: &mut Sample,
    ) -> Result<(), ReadingError> {
        let text = self.stat.read(buffer)?;
        self.reading += 1;
        let mut found = 0;
        for line in lines(text).take_while(|line| line.starts_with(b"cpu")) {
            found += 1;
            if self.take(line).is_none() {
                return Err(self.stat.malformed());
            }
        }
        if found == 0 {
            return Err(self.stat.malformed());
        }
        // A core that is unplugged keeps its place, so that core N stays core N; its old times mean nothing when
        // it comes back.
        for core in &mut self.cores {
            if core.reading != self.reading {
                core.counter = None;
            }
        }
        while self.cores.last().is_some_and(|core| core.counter.is_none()) {
            self.cores.pop();
        }
        let Some(shares) = self.all.and_then(|all| all.shares) else {
            return Ok(());
        };
        sample.cpu = Some(Cpu {
            used_percent: shares.used,
            user_percent: shares.user,
            system_percent: shares.system,
            iowait_percent: shares.iowait,
            steal_percent: shares.steal,
            core_used_percent: self.cores.iter().map(Core::used).collect(),
            clock_mhz: None,
            clock_max_mhz: None,
        });
        Ok(())
    }
}

impl Core {
    /// 0 for a core that is unplugged or that came back just now.
    fn used(&self) -> f32 {
        self.counter
            .and_then(|counter| counter.shares)
            .map_or(0.0, |shares| shares.used)
    }
}
