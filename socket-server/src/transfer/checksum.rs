//! SHA-256 as text, and of what is written or read on its way.

use std::{
    fmt::Write as _,
    io::{self, Read, Write},
};

use sha2::{Digest as _, Sha256};

/// Bytes that are read at a time.
const BLOCK_BYTES: usize = 64 * 1024;

/// A finished checksum in lower-case hex.
pub(super) fn hex(sum: Sha256) -> String {
    let mut text = String::with_capacity(64);
    for byte in sum.finalize() {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Copies everything; returns how many bytes there were and their checksum.
pub(super) fn copy(from: &mut impl Read, to: &mut impl Write) -> io::Result<(u64, String)> {
    let mut sum = Sha256::new();
    let mut block = vec![0; BLOCK_BYTES];
    let mut bytes = 0;
    loop {
        let count = from.read(&mut block)?;
        if count == 0 {
            return Ok((bytes, hex(sum)));
        }
        sum.update(&block[..count]);
        to.write_all(&block[..count])?;
        bytes += count as u64;
    }
}
