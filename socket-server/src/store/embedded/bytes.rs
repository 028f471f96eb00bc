//! Reading and writing of the chunks' bytes: varints, strings, a checksum.

use crate::store::StoreError;

/// Writes a chunk: a magic word, a CRC-32 of all that follows, the body.
pub(super) struct ChunkWriter {
    bytes: Vec<u8>,
}

/// Bytes before the body: magic word and checksum.
const HEADER_BYTES: usize = 8;

impl ChunkWriter {
    pub(super) fn new(magic: [u8; 4]) -> Self {
        let mut bytes = Vec::with_capacity(4_096);
        bytes.extend_from_slice(&magic);
        bytes.extend_from_slice(&[0; 4]);
        Self { bytes }
    }

    pub(super) fn put_number(&mut self, value: u64) {
        put_number(value, &mut self.bytes);
    }

    pub(super) fn put_bytes(&mut self, value: &[u8]) {
        self.put_number(value.len() as u64);
        self.bytes.extend_from_slice(value);
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        let checksum = crc32fast::hash(&self.bytes[HEADER_BYTES..]);
        self.bytes[4..HEADER_BYTES].copy_from_slice(&checksum.to_le_bytes());
        self.bytes
    }
}

/// Reads a chunk that [`ChunkWriter`] wrote.
pub(super) struct ChunkReader<'a> {
    rest: &'a [u8],
}

impl<'a> ChunkReader<'a> {
    /// Opens a chunk once its magic word and checksum are right.
    pub(super) fn open(bytes: &'a [u8], magic: [u8; 4]) -> Result<Self, StoreError> {
        let body = bytes
            .get(HEADER_BYTES..)
            .ok_or_else(|| damaged("a chunk is cut short"))?;
        if bytes[..4] != magic {
            return Err(damaged("a chunk has an unknown kind"));
        }
        if bytes[4..HEADER_BYTES] != crc32fast::hash(body).to_le_bytes() {
            return Err(damaged("a chunk's checksum is wrong"));
        }
        Ok(Self { rest: body })
    }

    pub(super) fn number(&mut self) -> Result<u64, StoreError> {
        take_number(&mut self.rest).ok_or_else(|| damaged("a number in a chunk is cut short or too long"))
    }

    /// A count of things that take at least a byte each, so that a wrong one cannot reserve much memory.
    pub(super) fn count(&mut self) -> Result<usize, StoreError> {
        let count = usize::try_from(self.number()?).unwrap_or(usize::MAX);
        if count > self.rest.len() {
            return Err(damaged("a count in a chunk is too large"));
        }
        Ok(count)
    }

    pub(super) fn bytes(&mut self) -> Result<&'a [u8], StoreError> {
        let length = self.count()?;
        let (value, rest) = self.rest.split_at(length);
        self.rest = rest;
        Ok(value)
    }

    pub(super) fn text(&mut self) -> Result<&'a str, StoreError> {
        text(self.bytes()?)
    }
}

/// A name in a chunk.
pub(super) fn text(bytes: &[u8]) -> Result<&str, StoreError> {
    std::str::from_utf8(bytes).map_err(|_| damaged("a name in a chunk is not UTF-8"))
}

/// Appends a number as a varint, as in Protocol Buffers.
pub(super) fn put_number(mut value: u64, bytes: &mut Vec<u8>) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// Takes the varint in front; `None` when it is cut short or has more than 64 bits.
pub(super) fn take_number(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

pub(super) fn damaged(reason: &str) -> StoreError {
    StoreError::Damaged {
        reason: format!("{reason}; restore the store from a backup"),
    }
}
