//! Chunks of the embedded store whose checksum is right and whose content is not.
//!
//! The files that read bytes are taken in as they are, so that neither the server nor its database has to be
//! built with a nightly compiler.
#![no_main]
#![expect(dead_code, reason = "a part of those files is not needed here")]

#[path = "../../socket-server/src/store/embedded/bytes.rs"]
mod bytes;
#[path = "../../socket-server/src/store/embedded/column.rs"]
mod column;
#[path = "../../socket-server/src/store/error.rs"]
mod error;
#[path = "../../socket-server/src/store/embedded/plain.rs"]
mod plain;

/// Where those files look for the error.
mod store {
    pub(crate) use crate::error::StoreError;
}

use bytes::ChunkReader;
use column::{decode_column, decode_numbers, encode_column};
use libfuzzer_sys::fuzz_target;

/// Any kind of chunk: all are read by the same reader.
const MAGIC: [u8; 4] = *b"MFS1";

fuzz_target!(|input: &[u8]| {
    let Some(([kind, high, low], content)) = input.split_first_chunk::<3>() else {
        return;
    };
    let count = usize::from(u16::from_be_bytes([*high, *low]));
    match kind % 3 {
        0 => column(content, count),
        1 => drop((
            decode_numbers::<i64>(content, count),
            decode_numbers::<u32>(content, count),
        )),
        _ => body(content),
    }
});

/// A column that can be read has as many values as it should, and comes back bit for bit when it is written again.
fn column(content: &[u8], count: usize) {
    let Ok(values) = decode_column(content, count) else {
        return;
    };
    assert_eq!(values.len(), count);
    let written = encode_column(&values).expect("what was read can be written");
    let again = decode_column(&written, count).expect("what was written can be read");
    let bits = |values: &[Option<f64>]| {
        values
            .iter()
            .map(|value| value.map(f64::to_bits))
            .collect::<Vec<_>>()
    };
    assert_eq!(bits(&again), bits(&values));
}

/// Reads numbers and texts in turn until the chunk ends, behind a checksum that is right.
fn body(content: &[u8]) {
    let mut chunk = MAGIC.to_vec();
    chunk.extend(crc32fast::hash(content).to_le_bytes());
    chunk.extend(content);
    let mut reader = ChunkReader::open(&chunk, MAGIC).expect("magic word and checksum are right");
    while reader.number().is_ok() && reader.text().is_ok() && reader.bytes().is_ok() && reader.count().is_ok()
    {
    }
}
