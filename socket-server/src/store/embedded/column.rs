//! One column of a chunk: numbers in the narrowest type that keeps them exactly, compressed by pco where they are many.

use pco::{
    ChunkConfig,
    data_types::Number,
    standalone::{simple_compress, simple_decompress_into},
};

use super::{
    bytes::damaged,
    plain::{self, PLAIN_VALUES_MAX, PlainNumber},
};
use crate::store::StoreError;

const INTEGERS: u8 = 0;
const SINGLES: u8 = 1;
const DOUBLES: u8 = 2;

/// Set in a column's first byte when a bitmap tells which values are there.
const WITH_HOLES: u8 = 0x80;

/// Most values of a column: ten minutes of a host that sends thousands of samples a second. A damaged count must not
/// reserve more.
const VALUES_MAX: usize = 1 << 22;

/// Doubles hold every integer below this exactly.
const EXACT_INTEGER_MAX: f64 = 9_007_199_254_740_992.0;

pub(super) fn encode_column(values: &[Option<f64>]) -> Result<Vec<u8>, StoreError> {
    let present: Vec<f64> = values.iter().flatten().copied().collect();
    let (kind, payload) = if present.iter().all(|&value| is_exact_integer(value)) {
        let whole: Vec<i64> = present.iter().map(|&value| value as i64).collect();
        (INTEGERS, compress(&whole)?)
    } else if present
        .iter()
        .all(|&value| f64::from(value as f32).to_bits() == value.to_bits())
    {
        let single: Vec<f32> = present.iter().map(|&value| value as f32).collect();
        (SINGLES, compress(&single)?)
    } else {
        (DOUBLES, compress(&present)?)
    };
    let mut bytes = Vec::with_capacity(payload.len() + 1);
    if present.len() == values.len() {
        bytes.push(kind);
    } else {
        bytes.push(kind | WITH_HOLES);
        bytes.extend(values.chunks(8).map(|eight| {
            let bit = |(place, value): (usize, &Option<f64>)| u8::from(value.is_some()) << place;
            eight.iter().enumerate().map(bit).sum::<u8>()
        }));
    }
    bytes.extend(payload);
    Ok(bytes)
}

/// Reads a column of `count` values.
pub(super) fn decode_column(bytes: &[u8], count: usize) -> Result<Vec<Option<f64>>, StoreError> {
    let (&head, rest) = bytes.split_first().ok_or_else(|| damaged("a column is empty"))?;
    let (bitmap, payload) = if head & WITH_HOLES == 0 {
        (None, rest)
    } else {
        let (bitmap, payload) = rest
            .split_at_checked(count.div_ceil(8))
            .ok_or_else(|| damaged("a column is cut short"))?;
        (Some(bitmap), payload)
    };
    let expected = bitmap.map_or(count, |bitmap| {
        (0..count)
            .filter(|&place| bitmap[place / 8] >> (place % 8) & 1 == 1)
            .count()
    });
    let present: Vec<f64> = match head & !WITH_HOLES {
        INTEGERS => decode::<i64>(payload, expected)?
            .into_iter()
            .map(|value| value as f64)
            .collect(),
        SINGLES => decode::<f32>(payload, expected)?
            .into_iter()
            .map(f64::from)
            .collect(),
        DOUBLES => decode::<f64>(payload, expected)?,
        _ => return Err(damaged("a column has an unknown kind")),
    };
    let Some(bitmap) = bitmap else {
        return Ok(present.into_iter().map(Some).collect());
    };
    let mut present = present.into_iter();
    let value = |place: usize| match bitmap[place / 8] >> (place % 8) & 1 {
        1 => present.next(),
        _ => None,
    };
    Ok((0..count).map(value).collect())
}

/// Compresses whole numbers of a key, such as times and sequence numbers.
pub(super) fn encode_numbers<T: Number + PlainNumber>(values: &[T]) -> Result<Vec<u8>, StoreError> {
    compress(values)
}

/// Reads `count` numbers that [`encode_numbers`] wrote.
pub(super) fn decode_numbers<T: Number + Default + PlainNumber>(
    bytes: &[u8],
    count: usize,
) -> Result<Vec<T>, StoreError> {
    decode(bytes, count)
}

fn is_exact_integer(value: f64) -> bool {
    value.abs() < EXACT_INTEGER_MAX && (value as i64 as f64).to_bits() == value.to_bits()
}

fn compress<T: Number + PlainNumber>(values: &[T]) -> Result<Vec<u8>, StoreError> {
    if values.len() <= PLAIN_VALUES_MAX {
        return Ok(plain::write(values));
    }
    simple_compress(values, &ChunkConfig::default())
        .map_err(|error| damaged(&format!("a column cannot be compressed: {error}")))
}

/// Reads exactly `count` values into memory for as many: what the bytes claim to hold is not believed.
fn decode<T: Number + Default + PlainNumber>(bytes: &[u8], count: usize) -> Result<Vec<T>, StoreError> {
    if let Some(values) = plain::read(bytes, count) {
        return values;
    }
    if count > VALUES_MAX {
        return Err(damaged("a column claims too many values"));
    }
    let mut values = vec![T::default(); count];
    let progress = simple_decompress_into(bytes, &mut values)
        .map_err(|error| damaged(&format!("a column cannot be read: {error}")))?;
    if progress.n_processed == count && progress.finished {
        Ok(values)
    } else {
        Err(damaged("a column has the wrong length"))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "a test fails by panicking")]

    use proptest::prelude::*;

    use super::*;

    fn value() -> impl Strategy<Value = Option<f64>> {
        prop_oneof![
            Just(None),
            any::<i32>().prop_map(|whole| Some(f64::from(whole))),
            any::<f32>().prop_map(|single| Some(f64::from(single))),
            any::<f64>().prop_map(Some),
            Just(Some(-0.0)),
        ]
    }

    proptest! {
        #[test]
        fn every_value_comes_back_bit_for_bit(
            values in prop_oneof![
                prop::collection::vec(value(), 0..200),
                prop::collection::vec((-1000_i64..1000).prop_map(|whole| Some(whole as f64)), 0..200),
                prop::collection::vec(prop::option::of(any::<f32>().prop_map(f64::from)), 0..200),
            ]
        ) {
            let bytes = encode_column(&values).expect("encodes");
            let decoded = decode_column(&bytes, values.len()).expect("decodes");
            let bits = |values: &[Option<f64>]| -> Vec<_> { values.iter().map(|value| value.map(f64::to_bits)).collect() };
            prop_assert_eq!(bits(&decoded), bits(&values));
        }

        #[test]
        fn garbage_is_an_error_and_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..100), count in 0_usize..300) {
            drop(decode_column(&bytes, count));
        }
    }

    #[test]
    fn a_column_that_claims_billions_of_values_reserves_no_memory_for_them() {
        // Found by fuzzing: 23 bytes that claim four gibibytes.
        let claim = b"\x00pco!\x02&\xdf\x02\x00p\x00\x00\x00\xccco!\x02o\xfc\x02\x00";
        decode_column(claim, 3).expect_err("is damaged");
        let bytes = encode_column(&[Some(1.5); 300]).expect("encodes");
        for count in [0, 299, 301, VALUES_MAX + 1] {
            decode_column(&bytes, count).expect_err("has another length");
        }
    }

    #[test]
    fn a_steady_counter_costs_under_a_byte_a_value() {
        let values: Vec<Option<f64>> = (0..600)
            .map(|second| Some(f64::from(second) * 1_500.0 + 7.0))
            .collect();
        assert!(encode_column(&values).expect("encodes").len() < 600);
    }
}
