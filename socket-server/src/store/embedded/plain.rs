//! Short runs of numbers as plain bytes: for a few values, what a compressor sets up costs more than it saves.

use super::bytes::{damaged, put_number, take_number};
use crate::store::StoreError;

/// Longest run that is written plain: ten minutes of minutes and a day of hours fit, the seconds of a bucket do not.
pub(super) const PLAIN_VALUES_MAX: usize = 128;

/// First byte of a plain run; what pco writes begins with the `p` of its magic word.
const MARK: u8 = 0;

/// A number that has a plain form: whole ones as the differences of neighbours, zigzag and varint as in Protocol
/// Buffers; others as their bits, little-endian.
pub(super) trait PlainNumber: Copy {
    fn put_all(values: &[Self], bytes: &mut Vec<u8>);
    /// `None` when the bytes are not exactly `count` numbers.
    fn take_all(bytes: &[u8], count: usize) -> Option<Vec<Self>>;
}

/// Writes a run.
pub(super) fn write<T: PlainNumber>(values: &[T]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1 + values.len() * 8);
    bytes.push(MARK);
    T::put_all(values, &mut bytes);
    bytes
}

/// Reads a run of `count` values; `None` when the bytes hold another form.
pub(super) fn read<T: PlainNumber>(bytes: &[u8], count: usize) -> Option<Result<Vec<T>, StoreError>> {
    let rest = bytes.strip_prefix(&[MARK])?;
    // Each number takes a byte at least, so that a wrong count cannot reserve much memory.
    let values = (count <= rest.len()).then(|| T::take_all(rest, count)).flatten();
    Some(values.ok_or_else(|| damaged("a column has the wrong length")))
}

fn put_whole(values: impl Iterator<Item = i64>, bytes: &mut Vec<u8>) {
    let mut before = 0_i64;
    for value in values {
        let growth = value.wrapping_sub(before);
        before = value;
        put_number(((growth << 1) ^ (growth >> 63)).cast_unsigned(), bytes);
    }
}

fn take_whole(mut bytes: &[u8], count: usize) -> Option<Vec<i64>> {
    let mut values = Vec::with_capacity(count);
    let mut before = 0_i64;
    for _ in 0..count {
        let zigzag = take_number(&mut bytes)?;
        let growth = (zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed();
        before = before.wrapping_add(growth);
        values.push(before);
    }
    bytes.is_empty().then_some(values)
}

fn take_bits<T, const BYTES: usize>(
    bytes: &[u8],
    count: usize,
    of_bits: fn([u8; BYTES]) -> T,
) -> Option<Vec<T>> {
    let (values, rest) = bytes.as_chunks();
    (rest.is_empty() && values.len() == count).then(|| values.iter().map(|bits| of_bits(*bits)).collect())
}

impl PlainNumber for i64 {
    fn put_all(values: &[Self], bytes: &mut Vec<u8>) {
        put_whole(values.iter().copied(), bytes);
    }

    fn take_all(bytes: &[u8], count: usize) -> Option<Vec<Self>> {
        take_whole(bytes, count)
    }
}

impl PlainNumber for u64 {
    fn put_all(values: &[Self], bytes: &mut Vec<u8>) {
        put_whole(values.iter().map(|value| value.cast_signed()), bytes);
    }

    fn take_all(bytes: &[u8], count: usize) -> Option<Vec<Self>> {
        let values = take_whole(bytes, count)?;
        Some(values.into_iter().map(i64::cast_unsigned).collect())
    }
}

impl PlainNumber for u32 {
    fn put_all(values: &[Self], bytes: &mut Vec<u8>) {
        put_whole(values.iter().map(|value| i64::from(*value)), bytes);
    }

    fn take_all(bytes: &[u8], count: usize) -> Option<Vec<Self>> {
        let values = take_whole(bytes, count)?;
        values.into_iter().map(|value| value.try_into().ok()).collect()
    }
}

impl PlainNumber for f32 {
    fn put_all(values: &[Self], bytes: &mut Vec<u8>) {
        bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    }

    fn take_all(bytes: &[u8], count: usize) -> Option<Vec<Self>> {
        take_bits(bytes, count, Self::from_le_bytes)
    }
}

impl PlainNumber for f64 {
    fn put_all(values: &[Self], bytes: &mut Vec<u8>) {
        bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    }

    fn take_all(bytes: &[u8], count: usize) -> Option<Vec<Self>> {
        take_bits(bytes, count, Self::from_le_bytes)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "a test fails by panicking")]

    use proptest::prelude::*;

    use super::*;

    fn comes_back<T: PlainNumber + PartialEq + std::fmt::Debug>(values: &[T]) {
        let read: Vec<T> = read(&write(values), values.len())
            .expect("is plain")
            .expect("is whole");
        assert_eq!(read, values);
    }

    proptest! {
        #[test]
        fn every_number_comes_back(
            signed in prop::collection::vec(any::<i64>(), 0..20), unsigned in prop::collection::vec(any::<u64>(), 0..20),
            small in prop::collection::vec(any::<u32>(), 0..20), single in prop::collection::vec(-1e30_f32..1e30, 0..20),
            double in prop::collection::vec(-1e300..1e300, 0..20)
        ) {
            comes_back(&signed);
            comes_back(&unsigned);
            comes_back(&small);
            comes_back(&single);
            comes_back(&double);
        }

        #[test]
        fn another_count_and_garbage_are_errors(bytes in prop::collection::vec(any::<u8>(), 0..50), count in 0_usize..60) {
            let marked: Vec<u8> = [MARK].into_iter().chain(bytes).collect();
            if let Ok(values) = read::<i64>(&marked, count).expect("is plain") {
                prop_assert_eq!(values.len(), count);
            }
            if let Ok(values) = read::<f64>(&marked, count).expect("is plain") {
                prop_assert_eq!(values.len(), count);
            }
        }
    }

    #[test]
    fn a_value_that_stays_the_same_takes_a_byte() {
        assert!(write(&[60_i64; 10]).len() <= 12);
    }

    #[test]
    fn a_number_of_more_than_64_bits_is_an_error() {
        let bytes = [&[MARK][..], &[0xff; 12], &[0]].concat();
        read::<i64>(&bytes, 1).expect("is plain").expect_err("is damaged");
    }
}
