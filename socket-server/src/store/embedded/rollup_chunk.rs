//! Roll-ups of one host as compressed columns: ten minutes of minutes, or a day of hours.

use std::collections::BTreeSet;

use super::{
    bytes::{ChunkReader, ChunkWriter, damaged, text},
    column::{decode_column, decode_numbers, encode_column, encode_numbers},
};
use crate::store::{HistoryRow, SeriesAggregate, StoreError, rollup::Rollup};

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
    let chunk = RollupChunk::open(bytes)?;
    let mut rollup = Rollup::default();
    for (&time, &samples) in chunk.times.iter().zip(&chunk.samples) {
        rollup.steps.entry(time).or_default().samples = samples;
    }
    let times = chunk.times.clone();
    let is_wanted =
        |name: &[u8]| wanted.is_none_or(|wanted| wanted.iter().any(|other| other.as_bytes() == name));
    chunk.for_each_value(
        |name| is_wanted(name).then(|| text(name).map(str::to_owned)).transpose(),
        |name, place, value| {
            if let Some(step) = rollup.steps.get_mut(&times[place]) {
                step.series.insert(name.clone(), value);
            }
        },
    )?;
    Ok(rollup)
}

/// Adds the steps of a chunk as rows of the named series.
pub(super) fn decode_rows(
    bytes: &[u8],
    series: &[String],
    rows: &mut Vec<HistoryRow>,
) -> Result<(), StoreError> {
    let chunk = RollupChunk::open(bytes)?;
    let first = rows.len();
    let steps = chunk.times.iter().zip(&chunk.samples);
    rows.extend(steps.map(|(&time_unix_ms, &samples)| HistoryRow {
        time_unix_ms,
        samples,
        values: vec![None; series.len()],
    }));
    chunk.for_each_value(
        |name| Ok(series.iter().position(|wanted| wanted.as_bytes() == name)),
        |column, place, value| rows[first + place].values[*column] = Some(value),
    )
}

/// A chunk of which the steps are read and the series are not yet.
struct RollupChunk<'a> {
    times: Vec<i64>,
    /// As many as there are times.
    samples: Vec<u32>,
    rest: ChunkReader<'a>,
}

impl<'a> RollupChunk<'a> {
    fn open(bytes: &'a [u8]) -> Result<Self, StoreError> {
        let mut rest = ChunkReader::open(bytes, MAGIC)?;
        let count = usize::try_from(rest.number()?).unwrap_or(usize::MAX);
        Ok(Self {
            times: decode_numbers(rest.bytes()?, count)?,
            samples: decode_numbers(rest.bytes()?, count)?,
            rest,
        })
    }

    /// Calls `visit` with each value of the series that `choose` names, and with the place of its step.
    fn for_each_value<T>(
        mut self,
        choose: impl Fn(&[u8]) -> Result<Option<T>, StoreError>,
        mut visit: impl FnMut(&T, usize, SeriesAggregate),
    ) -> Result<(), StoreError> {
        let count = self.times.len();
        for _ in 0..self.rest.count()? {
            let name = self.rest.bytes()?;
            let (counts, parts) = (self.rest.bytes()?, self.rest.bytes()?);
            let Some(chosen) = choose(name)? else { continue };
            let counts = decode_column(counts, count)?;
            let there = counts.iter().flatten().count();
            let parts = decode_column(parts, there * PARTS)?;
            let part = |number: usize, row: usize| {
                let value = parts.get(number * there + row).copied().flatten();
                value.ok_or_else(|| damaged("a roll-up has a hole"))
            };
            let present = counts
                .iter()
                .enumerate()
                .filter_map(|(place, count)| Some((place, (*count)?)));
            for (row, (place, count)) in present.enumerate() {
                let value = SeriesAggregate {
                    min: part(0, row)?,
                    max: part(1, row)?,
                    sum: part(2, row)?,
                    last: part(3, row)?,
                    count: count as u32,
                };
                visit(&chosen, place, value);
            }
        }
        Ok(())
    }
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
            let wanted = ["a".to_owned()];
            let one = decode(&bytes, Some(&wanted)).expect("decodes");
            let mut rows = Vec::new();
            decode_rows(&bytes, &wanted, &mut rows).expect("decodes");
            prop_assert_eq!(Rollup::of_rows(&wanted, &rows), one.clone());
            for (time, step) in &rollup.steps {
                prop_assert_eq!(one.steps[time].samples, step.samples);
                prop_assert_eq!(one.steps[time].series.get("a"), step.series.get("a"));
            }
        }
    }
}
