//! Keys of the tables: a host's rows stand together, in the order of their time.

use std::ops::Range;

use crate::store::{AccountId, HostId};

/// Longest host id or epoch in a key, in bytes; the node side makes 32 characters.
pub(super) const NAME_BYTES_MAX: usize = 256;

/// Room for what follows the name: a time, a number, and an epoch as the node side makes it.
const REST_BYTES: usize = 8 + 8 + 32;

/// Start of all keys of a host: its length, then its name, so that no name is the start of another.
pub(super) fn host_prefix(host: &HostId) -> Vec<u8> {
    prefix(&host.0)
}

fn prefix(name: &str) -> Vec<u8> {
    let name = name.as_bytes();
    let mut key = Vec::with_capacity(name.len() + 2 + REST_BYTES);
    key.extend_from_slice(&(name.len() as u16).to_be_bytes());
    key.extend_from_slice(name);
    key
}

/// A host and an instant.
pub(super) fn at(host: &HostId, time_unix_ms: i64) -> Vec<u8> {
    let mut key = host_prefix(host);
    key.extend_from_slice(&ordered(time_unix_ms));
    key
}

/// All keys of a host with `from <= time < to`.
pub(super) fn between(host: &HostId, from_unix_ms: i64, to_unix_ms: i64) -> Range<Vec<u8>> {
    at(host, from_unix_ms)..at(host, to_unix_ms.max(from_unix_ms))
}

/// A deed of a rollout: account, start, what names it.
pub(super) fn deploy_event(account: &AccountId, started_unix_ms: i64, name: &str) -> Vec<u8> {
    let mut key = prefix(&account.0);
    key.extend_from_slice(&ordered(started_unix_ms));
    key.extend_from_slice(name.as_bytes());
    key
}

/// All deeds for an account with `from <= start < to`.
pub(super) fn deploy_events_between(
    account: &AccountId,
    from_unix_ms: i64,
    to_unix_ms: i64,
) -> Range<Vec<u8>> {
    deploy_event(account, from_unix_ms, "")..deploy_event(account, to_unix_ms.max(from_unix_ms), "")
}

/// A sample, or the first of a run: host, time, `seq`, epoch.
pub(super) fn sample(host: &HostId, time_unix_ms: i64, seq: u64, epoch: &str) -> Vec<u8> {
    let mut key = at(host, time_unix_ms);
    key.extend_from_slice(&seq.to_be_bytes());
    key.extend_from_slice(epoch.as_bytes());
    key
}

/// The epoch in a sample's key.
pub(super) fn epoch_of<'a>(host: &HostId, key: &'a [u8]) -> Option<&'a str> {
    std::str::from_utf8(key.get(host.0.len() + 2 + 16..)?).ok()
}

/// A host and a text, such as an epoch.
pub(super) fn named(host: &HostId, name: &str) -> Vec<u8> {
    let mut key = host_prefix(host);
    key.extend_from_slice(name.as_bytes());
    key
}

/// The text after the host in a key.
pub(super) fn name_of<'a>(host: &HostId, key: &'a [u8]) -> Option<&'a str> {
    std::str::from_utf8(key.get(host.0.len() + 2..)?).ok()
}

/// The host that a key starts with.
pub(super) fn host_of(key: &[u8]) -> Option<HostId> {
    let (length, rest) = key.split_first_chunk::<2>()?;
    let name = rest.get(..usize::from(u16::from_be_bytes(*length)))?;
    Some(HostId(String::from_utf8(name.to_vec()).ok()?))
}

/// The instant that follows the host in a key.
pub(super) fn time_of(host: &HostId, key: &[u8]) -> Option<i64> {
    let time = key.get(host.0.len() + 2..)?.first_chunk::<8>()?;
    Some((u64::from_be_bytes(*time) ^ SIGN) as i64)
}

const SIGN: u64 = 1 << 63;

/// Bytes that sort as the number does, negative ones included.
fn ordered(time_unix_ms: i64) -> [u8; 8] {
    ((time_unix_ms as u64) ^ SIGN).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn keys_sort_by_time_and_read_back(a in any::<i64>(), b in any::<i64>(), seq in any::<u64>(), name in "[a-z]{0,9}", epoch in ".{0,9}") {
            let host = HostId(name);
            prop_assert_eq!(at(&host, a).cmp(&at(&host, b)), a.cmp(&b));
            let key = sample(&host, a, seq, &epoch);
            prop_assert_eq!(time_of(&host, &key), Some(a));
            prop_assert_eq!(epoch_of(&host, &key), Some(epoch.as_str()));
            prop_assert_eq!(host_of(&key), Some(host));
        }
    }
}
