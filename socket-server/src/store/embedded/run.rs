//! Rows of samples that are not packed yet: one sample, or a run of them that came together. A run is one key for
//! the engine instead of many, and its samples, which are alike, compress together in the journal.

use super::bytes::{damaged, put_number, take_number};
use crate::store::StoreError;

/// Most samples of a run: a reader goes through all of it for the few that it wants.
pub(super) const RUN_SAMPLES_MAX: usize = 128;

/// Bytes that a sample's length takes as a varint, up to 16 KiB.
const LENGTH_BYTES: usize = 2;

/// First byte of a run. No sample begins with it, since no field has the number 0.
const RUN: u8 = 0;

/// Writes a row of encoded samples.
pub(super) fn write<'a>(samples: impl ExactSizeIterator<Item = &'a [u8]> + Clone) -> Vec<u8> {
    let bytes: usize = samples.clone().map(<[u8]>::len).sum();
    if samples.len() == 1 {
        return samples.fold(Vec::with_capacity(bytes), |mut row, sample| {
            row.extend_from_slice(sample);
            row
        });
    }
    let mut row = Vec::with_capacity(1 + bytes + samples.len() * LENGTH_BYTES);
    row.push(RUN);
    for sample in samples {
        put_number(sample.len() as u64, &mut row);
        row.extend_from_slice(sample);
    }
    row
}

/// Calls `visit` with every encoded sample of a row, and with where it begins there.
pub(super) fn read(
    row: &[u8],
    mut visit: impl FnMut(usize, &[u8]) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let Some(mut rest) = row.strip_prefix(&[RUN]) else {
        return visit(0, row);
    };
    while !rest.is_empty() {
        let length = take_number(&mut rest).and_then(|length| usize::try_from(length).ok());
        let begin = row.len() - rest.len();
        let (sample, after) = length
            .and_then(|length| rest.split_at_checked(length))
            .ok_or_else(|| damaged("a run of samples is cut short"))?;
        rest = after;
        visit(begin, sample)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "a test fails by panicking")]

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_sample_of_a_row_comes_back(
            // A sample begins with the tag of one of its fields.
            samples in prop::collection::vec(prop::collection::vec(1_u8.., 1..300), 1..9)
        ) {
            let row = write(samples.iter().map(Vec::as_slice));
            let mut found = Vec::new();
            read(&row, |begin, sample| {
                assert_eq!(&row[begin..begin + sample.len()], sample);
                found.push(sample.to_vec());
                Ok(())
            }).expect("reads");
            prop_assert_eq!(found, samples);
        }

        #[test]
        fn a_run_that_is_cut_short_is_an_error(length in 2_usize..40, lost in 1_usize..40) {
            let sample = vec![8; length];
            let row = write([&sample[..]; 2].into_iter());
            let cut = &row[..row.len() - lost.min(length)];
            read(cut, |_, _| Ok(())).expect_err("is damaged");
        }
    }
}
