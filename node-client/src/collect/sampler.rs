//! All collectors of a host, read together.

use std::time::Instant;

use metric_flow_lifecycle::now_unix_ms;
use metric_flow_protocol::metrics::Sample;

use super::Collector;
use crate::host_root::HostRoot;

/// Reads all collectors of a host and keeps their open files and earlier counters between readings.
#[derive(Debug)]
pub struct Sampler {
    collectors: Vec<Watched>,
    buffer: Vec<u8>,
}

/// A collector, and whether its failure has been reported.
#[derive(Debug)]
struct Watched {
    collector: Box<dyn Collector>,
    reported: bool,
}

impl Sampler {
    /// Opens the host's files and takes the first counters, so that the next reading has rates.
    pub fn new(root: HostRoot) -> Self {
        let collectors = collectors(&root).into_iter();
        let collectors = collectors
            .map(|collector| Watched {
                collector,
                reported: false,
            })
            .collect();
        let mut sampler = Self {
            collectors,
            buffer: Vec::new(),
        };
        sampler.read();
        sampler
    }

    /// Reads everything now. `seq` is left 0 for the spool to set; a reading that fails is left out and reported
    /// once.
    pub fn read(&mut self) -> Sample {
        self.read_at(Instant::now())
    }

    /// As [`read`](Self::read), with `now` deciding what of the slow readings is due.
    pub fn read_at(&mut self, now: Instant) -> Sample {
        let mut sample = Sample {
            time_unix_ms: now_unix_ms(),
            ..Sample::default()
        };
        for watched in &mut self.collectors {
            let result = watched.collector.collect(now, &mut self.buffer, &mut sample);
            let Err(error) = result else { continue };
            let reading = watched.collector.name();
            if watched.reported {
                tracing::debug!("{reading}: {error}");
            } else {
                watched.reported = true;
                tracing::warn!("{reading}: samples lack a part of it, said once: {error}");
            }
        }
        sample
    }
}

/// The collectors in the order in which they read; processors go first, because their shares are of the second
/// that ends now, and clocks after them, because they are a part of that reading.
#[cfg(target_os = "linux")]
fn collectors(root: &HostRoot) -> Vec<Box<dyn Collector>> {
    vec![
        Box::new(super::cpu::CpuCollector::new(root)),
        Box::new(super::clock::ClockCollector::new(root)),
        Box::new(super::load::LoadCollector::new(root)),
        Box::new(super::memory::MemoryCollector::new(root)),
        Box::new(super::disks::DiskCollector::new(root)),
        Box::new(super::interfaces::InterfaceCollector::new(root)),
        Box::new(super::pressure::PressureCollector::new(root)),
        Box::new(super::processes::ProcessCollector::new(root)),
        Box::new(super::uptime::UptimeCollector::new(root)),
        Box::new(super::file_systems::FileSystemCollector::new(root)),
        Box::new(super::temperatures::TemperatureCollector::new(root)),
    ]
}

#[cfg(not(target_os = "linux"))]
fn collectors(_root: &HostRoot) -> Vec<Box<dyn Collector>> {
    vec![Box::new(super::Portable::new())]
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::collect::ReadingError;

    #[derive(Debug)]
    struct Broken;

    impl Collector for Broken {
        fn name(&self) -> &'static str {
            "broken readings"
        }

        fn collect(&mut self, _: Instant, _: &mut Vec<u8>, sample: &mut Sample) -> Result<(), ReadingError> {
            sample.uptime_seconds = Some(1.0);
            Err(ReadingError::Io {
                path: "/gone".into(),
                source: io::ErrorKind::NotFound.into(),
            })
        }
    }

    #[derive(Debug)]
    struct Sound;

    impl Collector for Sound {
        fn name(&self) -> &'static str {
            "sound readings"
        }

        fn collect(&mut self, _: Instant, _: &mut Vec<u8>, sample: &mut Sample) -> Result<(), ReadingError> {
            sample.load = Some(metric_flow_protocol::metrics::Load::default());
            Ok(())
        }
    }

    #[test]
    fn a_collector_that_fails_is_reported_once_and_costs_no_other_reading() {
        let watched = |collector: Box<dyn Collector>| Watched {
            collector,
            reported: false,
        };
        let collectors = vec![watched(Box::new(Broken)), watched(Box::new(Sound))];
        let mut sampler = Sampler {
            collectors,
            buffer: Vec::new(),
        };
        for _ in 0..2 {
            let sample = sampler.read();
            assert_eq!(
                sample.uptime_seconds,
                Some(1.0),
                "what could be read before the failure counts"
            );
            assert!(sample.load.is_some());
            let reported: Vec<bool> = sampler
                .collectors
                .iter()
                .map(|watched| watched.reported)
                .collect();
            assert_eq!(reported, [true, false]);
        }
    }
}
