//! Random secrets, and the hashes under which they are kept.

use std::fmt::Write as _;

use rand::RngExt as _;
use sha2::{Digest as _, Sha256};

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// 22 characters of base 62 hold 131 bits.
const ID_CHARS: usize = 22;
/// 43 characters of base 62 hold 256 bits.
const SECRET_CHARS: usize = 43;

/// A random name for a thing, not secret, unique without asking anyone.
pub fn random_id() -> String {
    random_base62(ID_CHARS)
}

/// A random secret of 256 bits.
pub(super) fn random_secret() -> String {
    random_base62(SECRET_CHARS)
}

/// That many random characters, from the thread's cryptographic generator.
pub(super) fn random_base62(chars: usize) -> String {
    let mut random = rand::rng();
    (0..chars)
        .map(|_| char::from(BASE62[random.random_range(0..BASE62.len())]))
        .collect()
}

/// A number in base 62, padded to `width`.
pub(super) fn base62(mut number: u64, width: usize) -> String {
    let mut digits = vec![BASE62[0]; width];
    for digit in digits.iter_mut().rev() {
        let index = usize::try_from(number % 62).unwrap_or(0);
        *digit = BASE62[index];
        number /= 62;
    }
    digits.into_iter().map(char::from).collect()
}

/// SHA-256 in lower-case hex. A plain hash is enough for what is random and long; passwords go to bcrypt.
pub(super) fn sha256_hex(secret: &str) -> String {
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(secret.as_bytes()) {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}
