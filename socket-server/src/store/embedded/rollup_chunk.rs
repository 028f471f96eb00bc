//! Roll-ups of one host as compressed columns: ten minutes of minutes, or a day of hours.

use std::collections::BTreeSet;

use super::{
    bytes::{ChunkReader, ChunkWriter, damaged},
    column::{decode_column, decode_numbers, encode_column, encode_numbers},
};
use crate::store::{SeriesAggregate, StoreError, rollup::Rollup};

const MAGIC: [u8; 4] = *b"MFR1";

/// Numbers kept of a series in a step apart from the count: min, max, sum and last.
const PARTS: usize = 4;

pub(super) fn encode(rollup: &Rollup) -> Result<Vec<u8>, StoreError> {
    let mut writer = ChunkWriter::new(MAGIC);
    writer.put_number(rollup.steps.len() as u64);
    let times: Vec<i64> = rollup.steps.keys().copied().collect();
    writer.put_bytes(&encode_numbers(&times)?);
    let samples: Vec<u32> = rollup.steps.values().map(|step| step.samples).collect();
    writer.put_bytes(&encode_numbers(&samples)?);
    let names: BTreeSet<&String> = rollup
        .steps
        .values()
        .flat_map(|step| step.series.keys())
        .collect();
    writer.put_number(names.len() as u64);
    for name in names {
        writer.put_bytes(name.as_bytes());
        let steps: Vec<Option<SeriesAggregate>> = rollup
            .steps
            .values()
            .map(|step| step.series.get(name).copied())
            .collect();
        let counts: Vec<Option<f64>> = steps
            .iter()
            .map(|step| step.map(|value| f64::from(value.count)))
            .collect();
        let there: Vec<SeriesAggregate> = steps.into_iter().flatten().collect();
        let column = |part: fn(&SeriesAggregate) -> f64| there.iter().map(part).map(Some).collect::<Vec<_>>();
        let parts = [
            column(|value| value.min),
            column(|value| value.max),
            column(|value| value.sum),
            column(|value| value.last),
        ];
        writer.put_bytes(&encode_column(&counts)?);
        writer.put_bytes(&encode_column(&parts.concat())?);
    }
    Ok(writer.finish())
}

/// Reads a chunk; with `wanted`, only the series of those names.
pub(super) fn decode(bytes: &[u8], wanted: Option<&[String]>) -> Result<Rollup, StoreError> {
    let mut reader = ChunkReader::open(bytes, MAGIC)?;
    let count = usize::try_from(reader.number()?).unwrap_or(usize::MAX);
    let times: Vec<i64> = decode_numbers(reader.bytes()?, count)?;
    let samples: Vec<u32> = decode_numbers(reader.bytes()?, count)?;
    let mut rollup = Rollup::default();
    for (&time, samples) in times.iter().zip(samples) {
        rollup.steps.entry(time).or_default().samples = samples;
    }
    for _ in 0..reader.count()? {
        let name = reader.text()?;
        let (counts, parts) = (reader.bytes()?, reader.bytes()?);
        if wanted.is_some_and(|wanted| !wanted.iter().any(|other| other == name)) {
            continue;
        }
        let counts = decode_column(counts, count)?;
        let there = counts.iter().flatten().count();
        let parts = decode_column(parts, there * PARTS)?;
        let part = |number: usize, row: usize| {
            let value = parts.get(number * there + row).copied().flatten();
            value.ok_or_else(|| damaged("a roll-up has a hole"))
        };
        let mut row = 0;
        for (time, count) in times.iter().zip(counts) {
            let (Some(count), Some(step)) = (count, rollup.steps.get_mut(time)) else {
                continue;
            };
            let value = SeriesAggregate {
                min: part(0, row)?,
                max: part(1, row)?,
                sum: part(2, row)?,
                last: part(3, row)?,
                count: count as u32,
            };
            step.series.insert(name.to_owned(), value);
            row += 1;
        }
    }
    Ok(rollup)
}

/// Names of the series in a chunk.
pub(super) fn names(bytes: &[u8]) -> Result<Vec<String>, StoreError> {
    let mut reader = ChunkReader::open(bytes, MAGIC)?;
    reader.number()?;
    reader.bytes()?;
    reader.bytes()?;
    let mut names = Vec::new();
    for _ in 0..reader.count()? {
        names.push(reader.text()?.to_owned());
        reader.bytes()?;
        reader.bytes()?;
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "a test fails by panicking")]

    use proptest::prelude::*;

    use super::*;
    use crate::store::rollup::RollupStep;

    prop_compose! {
        fn aggregate()(min in -1e6..1e6, spread in 0.0..1e6, count in 1_u32..4_000, whole in any::<bool>()) -> SeriesAggregate {
            let round = |value: f64| if whole { value.round() } else { value };
            SeriesAggregate { min: round(min), max: round(min + spread), sum: round(min * f64::from(count)), last: round(min), count }
        }
    }

    proptest! {
        #[test]
        fn roll_ups_come_back_as_they_were(
            steps in prop::collection::btree_map(
                any::<i64>(),
                (any::<u32>(), prop::collection::btree_map("[a-d]", aggregate(), 0..4)).prop_map(|(samples, series)| RollupStep { samples, series }),
                0..30,
            )
        ) {
            let rollup = Rollup { steps };
            let bytes = encode(&rollup).expect("encodes");
            prop_assert_eq!(&decode(&bytes, None).expect("decodes"), &rollup);
            let one = decode(&bytes, Some(&["a".to_owned()])).expect("decodes");
            for (time, step) in &rollup.steps {
                prop_assert_eq!(one.steps[time].samples, step.samples);
                prop_assert_eq!(one.steps[time].series.get("a"), step.series.get("a"));
            }
        }
    }
}
