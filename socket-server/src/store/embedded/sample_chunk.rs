//! Ten minutes of one host's samples as compressed columns; one series is read without touching the others.

use std::ops::Range;

use metric_flow_protocol::metrics::Sample;

use super::{
    bytes::{ChunkReader, ChunkWriter, damaged},
    column::{decode_column, decode_numbers, encode_column, encode_numbers},
};
use crate::store::{
    StoreError,
    readings::restore_reading,
    series::{SeriesKind, SeriesPlaces, visit_readings},
};

const MAGIC: [u8; 4] = *b"MFS1";

/// A sample and the numbering that it belongs to.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct StoredSample {
    pub(super) epoch: String,
    pub(super) sample: Sample,
}

/// One series of a chunk.
pub(super) struct ChunkSeries {
    pub(super) kind: SeriesKind,
    pub(super) values: Vec<Option<f64>>,
}

/// Encodes samples that are in the order of their time.
pub(super) fn encode(samples: &[StoredSample]) -> Result<Vec<u8>, StoreError> {
    let mut writer = ChunkWriter::new(MAGIC);
    writer.put_number(samples.len() as u64);
    let times: Vec<i64> = samples.iter().map(|stored| stored.sample.time_unix_ms).collect();
    writer.put_bytes(&encode_numbers(&times)?);
    let seqs: Vec<u64> = samples.iter().map(|stored| stored.sample.seq).collect();
    writer.put_bytes(&encode_numbers(&seqs)?);

    let mut epochs: Vec<&str> = Vec::new();
    let mut epoch_of: Vec<u32> = Vec::with_capacity(samples.len());
    for stored in samples {
        let known = epochs.iter().position(|epoch| *epoch == stored.epoch);
        let position = known.unwrap_or_else(|| {
            epochs.push(&stored.epoch);
            epochs.len() - 1
        });
        epoch_of.push(position as u32);
    }
    writer.put_number(epochs.len() as u64);
    for epoch in &epochs {
        writer.put_bytes(epoch.as_bytes());
    }
    writer.put_bytes(&encode_numbers(&epoch_of)?);

    let devices: Vec<(&str, &str)> = samples.last().map_or_else(Vec::new, |stored| {
        let of = &stored.sample.file_systems;
        of.iter()
            .map(|known| (known.mount_point.as_str(), known.device.as_str()))
            .collect()
    });
    writer.put_number(devices.len() as u64);
    for (mount_point, device) in devices {
        writer.put_bytes(mount_point.as_bytes());
        writer.put_bytes(device.as_bytes());
    }

    let (places, columns) = gather(samples);
    writer.put_number(columns.len() as u64);
    for (name, column) in places.names().iter().zip(columns) {
        writer.put_bytes(name.as_bytes());
        writer.put_number(u64::from(column.kind == SeriesKind::Counter));
        writer.put_bytes(&encode_column(&column.values)?);
    }
    Ok(writer.finish())
}

/// Columns in the order in which their series first appear, so that lists come back in their order.
fn gather(samples: &[StoredSample]) -> (SeriesPlaces, Vec<ChunkSeries>) {
    let mut places = SeriesPlaces::default();
    let mut columns: Vec<ChunkSeries> = Vec::new();
    for (row, stored) in samples.iter().enumerate() {
        places.begin_sample();
        visit_readings(&stored.sample, |name, kind, value| {
            let place = places.place(name);
            if place == columns.len() {
                let values = vec![None; samples.len()];
                columns.push(ChunkSeries { kind, values });
            }
            columns[place].values[row] = Some(value);
        });
    }
    (places, columns)
}

/// A chunk of which the key columns are read and the series are not yet.
pub(super) struct SampleChunk<'a> {
    pub(super) times: Vec<i64>,
    columns: Vec<(&'a str, SeriesKind, &'a [u8])>,
    seqs: &'a [u8],
    epochs: Vec<&'a str>,
    epoch_of: &'a [u8],
    devices: Vec<(&'a str, &'a str)>,
}

impl<'a> SampleChunk<'a> {
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, StoreError> {
        let mut reader = ChunkReader::open(bytes, MAGIC)?;
        let count = usize::try_from(reader.number()?).unwrap_or(usize::MAX);
        let times = decode_numbers(reader.bytes()?, count)?;
        let seqs = reader.bytes()?;
        let mut epochs = Vec::new();
        for _ in 0..reader.count()? {
            epochs.push(reader.text()?);
        }
        let epoch_of = reader.bytes()?;
        let mut devices = Vec::new();
        for _ in 0..reader.count()? {
            devices.push((reader.text()?, reader.text()?));
        }
        let mut columns = Vec::new();
        for _ in 0..reader.count()? {
            let name = reader.text()?;
            let kind = match reader.number()? {
                0 => SeriesKind::Gauge,
                _ => SeriesKind::Counter,
            };
            columns.push((name, kind, reader.bytes()?));
        }
        Ok(Self {
            times,
            columns,
            seqs,
            epochs,
            epoch_of,
            devices,
        })
    }

    /// Names of the series that it holds.
    pub(super) fn names(&self) -> impl Iterator<Item = &'a str> + '_ {
        self.columns.iter().map(|(name, _, _)| *name)
    }

    /// One series, if it is there.
    pub(super) fn series(&self, wanted: &str) -> Result<Option<ChunkSeries>, StoreError> {
        let Some((_, kind, bytes)) = self.columns.iter().find(|(name, _, _)| *name == wanted) else {
            return Ok(None);
        };
        let values = decode_column(bytes, self.times.len())?;
        Ok(Some(ChunkSeries { kind: *kind, values }))
    }

    /// The samples with `from <= time < to`, put together again.
    pub(super) fn samples_within(&self, from: i64, to: i64) -> Result<Vec<StoredSample>, StoreError> {
        let place_of = |time: i64| self.times.partition_point(|known| *known < time);
        let (first, end) = (place_of(from), place_of(to));
        self.samples_of(first..end.max(first))
    }

    fn samples_of(&self, rows: Range<usize>) -> Result<Vec<StoredSample>, StoreError> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let count = self.times.len();
        let seqs: Vec<u64> = decode_numbers(self.seqs, count)?;
        let epoch_of: Vec<u32> = decode_numbers(self.epoch_of, count)?;
        let mut samples = Vec::with_capacity(rows.len());
        for row in rows.clone() {
            let epoch = self
                .epochs
                .get(epoch_of[row] as usize)
                .ok_or_else(|| damaged("an epoch is missing"))?;
            samples.push(StoredSample {
                epoch: (*epoch).to_owned(),
                sample: Sample {
                    seq: seqs[row],
                    time_unix_ms: self.times[row],
                    ..Sample::default()
                },
            });
        }
        for (name, _, bytes) in &self.columns {
            let values = decode_column(bytes, count)?;
            for (stored, value) in samples.iter_mut().zip(&values[rows.clone()]) {
                if let Some(value) = *value {
                    restore_reading(&mut stored.sample, name, value);
                }
            }
        }
        for stored in &mut samples {
            for file_system in &mut stored.sample.file_systems {
                let known = self
                    .devices
                    .iter()
                    .find(|(mount, _)| *mount == file_system.mount_point);
                file_system.device = known.map_or_else(String::new, |(_, device)| (*device).to_owned());
            }
        }
        Ok(samples)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "a test fails by panicking")]

    use metric_flow_protocol::metrics::{Disk, FileSystem, Load};
    use proptest::prelude::*;

    use super::*;

    prop_compose! {
        fn stored()(
            seq in any::<u64>(), time_unix_ms in any::<i64>(), epoch in "[ab]", load in prop::option::of(any::<u16>()),
            disks in prop::collection::vec(0_u64..1 << 53, 0..3), mounted in any::<bool>(), uptime in prop::option::of(0.0..1e9)
        ) -> StoredSample {
            let sample = Sample {
                seq,
                time_unix_ms,
                load: load.map(|load| Load { one_minute: f32::from(load) / 100.0, ..Load::default() }),
                disks: disks.into_iter().enumerate().map(|(number, read)| Disk {
                    name: format!("sd{number}"), read_bytes_total: read, ..Disk::default()
                }).collect(),
                file_systems: mounted.then(|| FileSystem {
                    mount_point: "/".to_owned(), used_bytes: 5, ..FileSystem::default()
                }).into_iter().collect(),
                uptime_seconds: uptime,
                ..Sample::default()
            };
            StoredSample { epoch, sample }
        }
    }

    proptest! {
        #[test]
        fn samples_come_back_as_they_were(
            samples in prop::collection::vec(stored(), 0..40), from in any::<i64>(), to in any::<i64>()
        ) {
            let bytes = encode(&samples).expect("encodes");
            let chunk = SampleChunk::open(&bytes).expect("opens");
            prop_assert_eq!(chunk.samples_of(0..samples.len()).expect("reads"), samples.clone());
            let mut sorted = samples;
            sorted.sort_by_key(|stored| stored.sample.time_unix_ms);
            let bytes = encode(&sorted).expect("encodes");
            let chunk = SampleChunk::open(&bytes).expect("opens");
            let within = from.min(to)..from.max(to);
            sorted.retain(|stored| within.contains(&stored.sample.time_unix_ms));
            prop_assert_eq!(chunk.samples_within(within.start, within.end).expect("reads"), sorted);
        }

        #[test]
        fn a_flipped_bit_is_noticed(samples in prop::collection::vec(stored(), 1..10), at in any::<prop::sample::Index>()) {
            let mut bytes = encode(&samples).expect("encodes");
            let at = at.index(bytes.len());
            bytes[at] ^= 1;
            prop_assert!(SampleChunk::open(&bytes).is_err());
        }
    }
}
