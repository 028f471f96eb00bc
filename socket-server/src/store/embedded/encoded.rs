//! Samples as they came over the wire: what is read of them without decoding the rest.

use metric_flow_protocol::metrics::Sample;
use prost::Message as _;

use super::bytes::{damaged, take_number};
use crate::store::{StoreError, series::field_of};

/// Fields of [`Sample`] that hold its number and its time.
const SEQ: u64 = 1;
const TIME: u64 = 2;

/// Number and time of an encoded sample: its first fields, since those are written in the order of their numbers.
pub(super) fn seq_and_time(encoded: &[u8]) -> Result<(u64, i64), StoreError> {
    let (mut seq, mut time) = (0, 0);
    let mut rest = encoded;
    while !rest.is_empty() {
        let (number, field) = take_field(&mut rest).ok_or_else(unreadable)?;
        match number {
            SEQ => seq = value_of(field).ok_or_else(unreadable)?,
            TIME => time = value_of(field).ok_or_else(unreadable)?.cast_signed(),
            _ => break,
        }
    }
    Ok((seq, time))
}

/// Some of the fields of a sample.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields(u64);

impl Fields {
    /// Those that the series are read from.
    pub(super) fn of_series(series: &[String]) -> Self {
        let fields = series.iter().filter_map(|name| field_of(name));
        Self(fields.fold(0, |mask, number| mask | 1 << number))
    }

    /// Decodes these fields of a sample and no others.
    pub(super) fn decode(self, encoded: &[u8]) -> Result<Sample, StoreError> {
        let mut sample = Sample::default();
        let mut rest = encoded;
        while !rest.is_empty() {
            let (number, field) = take_field(&mut rest).ok_or_else(unreadable)?;
            if number < u64::from(u64::BITS) && self.0 >> number & 1 == 1 {
                sample.merge(field).map_err(|_| unreadable())?;
            }
        }
        Ok(sample)
    }
}

/// Takes the field in front: its number, and all its bytes. `None` when they are no Protocol Buffers.
fn take_field<'a>(rest: &mut &'a [u8]) -> Option<(u64, &'a [u8])> {
    let all = *rest;
    let tag = take_number(rest)?;
    match tag & 7 {
        0 => drop(take_number(rest)?),
        1 => *rest = rest.get(8..)?,
        2 => {
            let length = usize::try_from(take_number(rest)?).ok()?;
            *rest = rest.get(length..)?;
        }
        5 => *rest = rest.get(4..)?,
        _ => return None,
    }
    Some((tag >> 3, &all[..all.len() - rest.len()]))
}

/// The number that a varint field holds.
fn value_of(mut field: &[u8]) -> Option<u64> {
    let tag = take_number(&mut field)?;
    (tag & 7 == 0).then(|| take_number(&mut field)).flatten()
}

fn unreadable() -> StoreError {
    damaged("a sample cannot be read")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "a test fails by panicking")]

    use metric_flow_protocol::metrics::{
        Cpu, Disk, FileSystem, Interface, Load, Memory, Pressure, Processes, Temperature,
    };
    use proptest::prelude::*;

    use super::*;
    use crate::store::series::visit_readings;

    /// A sample with every reading.
    fn whole() -> Sample {
        Sample {
            seq: 7,
            time_unix_ms: 9,
            cpu: Some(Cpu {
                core_used_percent: vec![1.5],
                clock_mhz: Some(2_400),
                ..Cpu::default()
            }),
            load: Some(Load::default()),
            memory: Some(Memory::default()),
            file_systems: vec![FileSystem::default()],
            disks: vec![Disk::default()],
            interfaces: vec![Interface::default()],
            temperatures: vec![Temperature::default()],
            pressure: Some(Pressure::default()),
            processes: Some(Processes::default()),
            uptime_seconds: Some(1.5),
        }
    }

    #[test]
    fn every_reading_is_in_the_field_of_its_series() {
        let (sample, encoded) = (whole(), whole().encode_to_vec());
        visit_readings(&sample, |name, _, value| {
            let fields = Fields::of_series(&[name.to_owned()]);
            let part = fields.decode(&encoded).expect("decodes");
            let mut found = None;
            visit_readings(&part, |other, _, same| {
                if other == name {
                    found = Some(same);
                }
            });
            assert_eq!(found, Some(value), "{name}");
        });
    }

    #[test]
    fn only_the_fields_of_the_series_are_decoded() {
        let series = ["load_one_minute", "no_such"].map(str::to_owned);
        let part = Fields::of_series(&series)
            .decode(&whole().encode_to_vec())
            .expect("decodes");
        let expected = Sample {
            load: whole().load,
            ..Sample::default()
        };
        assert_eq!(part, expected);
    }

    proptest! {
        #[test]
        fn number_and_time_are_read_without_decoding(seq in any::<u64>(), time_unix_ms in any::<i64>(), load in any::<bool>()) {
            let load = load.then(Load::default);
            let encoded = Sample { seq, time_unix_ms, load, ..Sample::default() }.encode_to_vec();
            prop_assert_eq!(seq_and_time(&encoded).expect("reads"), (seq, time_unix_ms));
        }

        #[test]
        fn garbage_is_an_error_or_the_same_sample(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            drop(seq_and_time(&bytes));
            if let (Ok(part), Ok(whole)) = (Fields(u64::MAX).decode(&bytes), Sample::decode(&*bytes)) {
                // As bytes: a float that is no number is not equal to itself.
                prop_assert_eq!(part.encode_to_vec(), whole.encode_to_vec());
            }
        }
    }
}
