//! The bytes of a segment: a head with the epoch, then records of length, CRC and an encoded sample.

use metric_flow_protocol::{codec::FRAME_BYTES_MAX, metrics::Sample};
use prost::Message as _;

/// Begins every segment; the last byte is the version of this layout.
const MAGIC: &[u8; 8] = b"MFSPOOL1";

/// Characters of a head that an epoch may take, lower-case hex; spaces fill the rest.
const EPOCH_CHARS_MAX: usize = 32;

/// Bytes before the first record.
pub(super) const HEAD_BYTES: usize = MAGIC.len() + EPOCH_CHARS_MAX;

/// Bytes before the payload of a record: its length and its CRC-32, both little-endian.
const PREFIX_BYTES: usize = 8;

/// Where a sample stands, without the rest of it: the same tags as [`Sample`], all others are skipped.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub(super) struct Stamp {
    /// Its sequence number.
    #[prost(uint64, tag = "1")]
    pub(super) seq: u64,
    /// Its time, milliseconds since 1970-01-01 UTC.
    #[prost(int64, tag = "2")]
    pub(super) time_unix_ms: i64,
}

/// The head of a segment.
pub(super) fn head(epoch: &str) -> Vec<u8> {
    [MAGIC.as_slice(), format!("{epoch:<EPOCH_CHARS_MAX$}").as_bytes()].concat()
}

/// The epoch in a segment's head, unless it is damaged.
pub(super) fn epoch_of(bytes: &[u8]) -> Option<&str> {
    let epoch = bytes.strip_prefix(MAGIC)?.get(..EPOCH_CHARS_MAX)?;
    let epoch = str::from_utf8(epoch).ok()?.trim_end_matches(' ');
    is_epoch(epoch).then_some(epoch)
}

/// Whether this can be an epoch.
pub(super) fn is_epoch(text: &str) -> bool {
    (1..=EPOCH_CHARS_MAX).contains(&text.len())
        && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// One record.
pub(super) fn record(sample: &Sample) -> Vec<u8> {
    let payload_bytes = sample.encoded_len();
    let mut bytes = vec![0; PREFIX_BYTES];
    bytes.reserve_exact(payload_bytes);
    sample.encode_raw(&mut bytes);
    let length = u32::try_from(payload_bytes).unwrap_or(u32::MAX).to_le_bytes();
    let crc = checksum(length, &bytes[PREFIX_BYTES..]).to_le_bytes();
    bytes[..4].copy_from_slice(&length);
    bytes[4..PREFIX_BYTES].copy_from_slice(&crc);
    bytes
}

/// The sound records of a segment, in order, up to the first that is torn or damaged.
#[derive(Debug, Clone)]
pub(super) struct Records<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Records<'a> {
    /// The records after the head.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            offset: HEAD_BYTES.min(bytes.len()),
        }
    }

    /// Bytes that are sound so far: where the next record begins.
    pub(super) fn sound_bytes(&self) -> usize {
        self.offset
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = (Stamp, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.bytes.get(self.offset..)?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let (crc, rest) = rest.split_first_chunk::<4>()?;
        let payload_bytes = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        if payload_bytes > FRAME_BYTES_MAX {
            return None;
        }
        let payload = rest.get(..payload_bytes)?;
        if checksum(*length, payload) != u32::from_le_bytes(*crc) {
            return None;
        }
        let stamp = Stamp::decode(payload).ok().filter(|stamp| stamp.seq > 0)?;
        self.offset += PREFIX_BYTES + payload_bytes;
        Some((stamp, payload))
    }
}

/// The length is covered too: a damaged one must not be believed.
fn checksum(length: [u8; 4], payload: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&length);
    crc.update(payload);
    crc.finalize()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const EPOCH: &str = "0123456789abcdef";

    fn segment(seqs: std::ops::RangeInclusive<u64>) -> Vec<u8> {
        let mut bytes = head(EPOCH);
        for seq in seqs {
            let time_unix_ms = i64::try_from(seq).unwrap_or(0) * 1000;
            bytes.extend(record(&Sample {
                seq,
                time_unix_ms,
                ..Sample::default()
            }));
        }
        bytes
    }

    #[test]
    fn what_is_written_is_read() {
        let bytes = segment(5..=9);
        assert_eq!(epoch_of(&bytes), Some(EPOCH));
        let mut records = Records::new(&bytes);
        let seqs: Vec<u64> = records.by_ref().map(|(stamp, _)| stamp.seq).collect();
        assert_eq!(seqs, [5, 6, 7, 8, 9]);
        assert_eq!(records.sound_bytes(), bytes.len());
    }

    #[test]
    fn an_epoch_fills_its_place_or_a_part_of_it() {
        let longest = "0123456789abcdef".repeat(2);
        for epoch in ["a", EPOCH, &longest] {
            let bytes = head(epoch);
            assert_eq!((bytes.len(), epoch_of(&bytes)), (HEAD_BYTES, Some(epoch)));
        }
        assert_eq!(epoch_of(&head("")), None);
    }

    proptest! {
        #[test]
        fn a_cut_segment_gives_the_records_before_the_cut(cut in 0_usize..300) {
            let bytes = segment(1..=10);
            let cut = cut.min(bytes.len());
            let mut records = Records::new(&bytes[..cut]);
            let seqs: Vec<u64> = records.by_ref().map(|(stamp, _)| stamp.seq).collect();
            prop_assert_eq!(&seqs, &(1..=seqs.len() as u64).collect::<Vec<_>>());
            prop_assert!(records.sound_bytes() <= cut.max(HEAD_BYTES));
        }

        #[test]
        fn a_flipped_bit_ends_the_segment_there(at in HEAD_BYTES..200, bit in 0_u8..8) {
            let mut bytes = segment(1..=10);
            let at = at.min(bytes.len() - 1);
            bytes[at] ^= 1 << bit;
            let seqs: Vec<u64> = Records::new(&bytes).map(|(stamp, _)| stamp.seq).collect();
            prop_assert!(seqs.len() < 10);
            prop_assert_eq!(&seqs, &(1..=seqs.len() as u64).collect::<Vec<_>>());
        }

        #[test]
        fn any_bytes_are_read_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..500)) {
            let _ = epoch_of(&bytes);
            prop_assert!(Records::new(&bytes).count() <= bytes.len());
        }
    }
}
