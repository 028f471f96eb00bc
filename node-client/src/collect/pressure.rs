//! Pressure stall information, from `/proc/pressure`.

use std::time::Instant;

use metric_flow_protocol::metrics::{Pressure, Sample};

use super::{
    Collector, ReadingError,
    fields::{decimal, fields, lines},
    kept_file::KeptFile,
};
use crate::host_root::HostRoot;

/// Reads the ten-second averages of the three resources. Kernels without them, or booted with `psi=0`, have no
/// pressure, and that is no failure.
#[derive(Debug)]
pub(super) struct PressureCollector {
    cpu: KeptFile,
    memory: KeptFile,
    io: KeptFile,
    /// Files that the kernel does not have do not come up while it runs: they are not tried again.
    absent: bool,
}

impl PressureCollector {
    pub(super) fn new(root: &HostRoot) -> Self {
        let file = |name| KeptFile::new(root.proc("pressure").join(name));
        Self {
            cpu: file("cpu"),
            memory: file("memory"),
            io: file("io"),
            absent: false,
        }
    }

    fn read(&mut self, buffer: &mut Vec<u8>) -> Result<Pressure, ReadingError> {
        let [cpu_some_percent, _] = averages(&mut self.cpu, buffer)?;
        let [memory_some_percent, memory_full_percent] = averages(&mut self.memory, buffer)?;
        let [io_some_percent, io_full_percent] = averages(&mut self.io, buffer)?;
        Ok(Pressure {
            cpu_some_percent,
            memory_some_percent,
            memory_full_percent,
            io_some_percent,
            io_full_percent,
        })
    }
}

impl Collector for PressureCollector {
    fn name(&self) -> &'static str {
        "pressure"
    }

    fn collect(
        &mut self,
        _now: Instant,
        buffer: &mut Vec<u8>,
        sample: &mut Sample,
    ) -> Result<(), ReadingError> {
        if self.absent {
            return Ok(());
        }
        match self.read(buffer) {
            Ok(pressure) => sample.pressure = Some(pressure),
            Err(error) if error.is_absent() => self.absent = true,
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

fn averages(file: &mut KeptFile, buffer: &mut Vec<u8>) -> Result<[f32; 2], ReadingError> {
    let text = file.read(buffer)?;
    parse(text).ok_or_else(|| file.malformed())
}

/// `some` and `full` over ten seconds; kernels before 5.13 have no `full` for processors.
fn parse(text: &[u8]) -> Option<[f32; 2]> {
    let [mut some, mut full] = [None, None];
    for line in lines(text) {
        let mut columns = fields(line);
        let kind = columns.next();
        let average = columns
            .next()
            .and_then(|field| decimal(field.strip_prefix(b"avg10=")?));
        match kind {
            Some(b"some") => some = average,
            Some(b"full") => full = average,
            _ => {}
        }
    }
    Some([some? as f32, full.unwrap_or(0.0) as f32])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_ten_second_averages_are_read() {
        let text = b"some avg10=1.25 avg60=0.10 avg300=0.00 total=1\nfull avg10=0.50 avg60=0.00 avg300=0.00 total=0\n";
        assert_eq!(parse(text), Some([1.25, 0.5]));
        assert_eq!(
            parse(b"some avg10=2.00 avg60=0.10 avg300=0.00 total=1\n"),
            Some([2.0, 0.0])
        );
        assert_eq!(parse(b"some avg60=2.00\n"), None);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(some|full| |avg10=|[0-9.\n-]){0,40}") {
            let _ = parse(text.as_bytes());
        }
    }
}
