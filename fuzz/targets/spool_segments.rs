//! A spool's folder after a crash, on a bad disk, or in the hands of somebody else.
#![no_main]

use std::{fs, path::Path};

use libfuzzer_sys::fuzz_target;
use metric_flow_protocol::metrics::Sample;
use node_client::spool::{Spool, SpoolLimits};

/// A time that no sample of the input needs to respect, milliseconds since 1970-01-01 UTC.
const NOW_UNIX_MS: i64 = 1_800_000_000_000;

/// The head of a segment: the layout's mark and an epoch.
const HEAD: &[u8] = b"MFSPOOL10123456789abcdef0123456789abcdef";

fuzz_target!(|input: &[u8]| {
    let Some((kind, content)) = input.split_first() else {
        return;
    };
    let folder = tempfile::tempdir().expect("temp folder");
    match kind % 3 {
        0 => write_segment(folder.path(), content),
        1 => write_segment(folder.path(), &forged(content)),
        _ => damage(folder.path(), content),
    }
    check(folder.path());
});

/// Opens the folder twice: what comes back is in order, and a number that was used is not used again.
fn check(folder: &Path) {
    let mut highest = 0;
    for _ in 0..2 {
        let mut spool = open(folder);
        let before = spool.last_seq();
        assert!(before >= highest, "{before} after {highest}");
        let mut sample = Sample {
            time_unix_ms: NOW_UNIX_MS,
            ..Sample::default()
        };
        spool.append(&mut sample, NOW_UNIX_MS);
        assert!(sample.seq > before);
        highest = sample.seq;
        let samples = spool.read(spool.acknowledged(), u64::MAX, 1_000, 1 << 20);
        assert!(
            samples.is_sorted_by(|left, right| left.seq < right.seq),
            "samples come in order, each once"
        );
        assert!(samples.iter().all(|sample| sample.seq <= highest));
        spool.acknowledge(before);
        spool.close(NOW_UNIX_MS);
    }
}

/// Records with the right length and checksum around any content, so that the content itself is read.
fn forged(content: &[u8]) -> Vec<u8> {
    let mut bytes = HEAD.to_vec();
    for payload in content.split(|&byte| byte == 0xff) {
        let length = u32::try_from(payload.len()).expect("a short input").to_le_bytes();
        let mut checksum = crc32fast::Hasher::new();
        checksum.update(&length);
        checksum.update(payload);
        bytes.extend(length);
        bytes.extend(checksum.finalize().to_le_bytes());
        bytes.extend(payload);
    }
    bytes
}

/// A sound spool in which some bytes of some files are changed or cut off.
fn damage(folder: &Path, changes: &[u8]) {
    let mut spool = open(folder);
    for second in 0..5 {
        let mut sample = Sample {
            time_unix_ms: NOW_UNIX_MS - 5_000 + second * 1_000,
            ..Sample::default()
        };
        spool.append(&mut sample, NOW_UNIX_MS);
    }
    spool.close(NOW_UNIX_MS);
    drop(spool);
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("the folder")
        .flatten()
        .map(|entry| entry.path())
        .collect();
    files.sort();
    for change in changes.chunks_exact(4) {
        let [file, high, low, byte] = change else { continue };
        let Some(path) = files.get(usize::from(*file) % files.len().max(1)) else {
            continue;
        };
        let Ok(mut bytes) = fs::read(path) else { continue };
        let place = usize::from(u16::from_be_bytes([*high, *low])) % bytes.len().max(1);
        match bytes.get_mut(place) {
            Some(_) if *byte == 0 => bytes.truncate(place),
            Some(changed) => *changed ^= byte,
            None => {}
        }
        fs::write(path, bytes).expect("write");
    }
}

fn write_segment(folder: &Path, content: &[u8]) {
    fs::write(folder.join("segment-00000000000000000001"), content).expect("write");
    fs::write(folder.join("epoch"), &HEAD[8..]).expect("write");
}

fn open(folder: &Path) -> Spool {
    Spool::open(folder, SpoolLimits::with_bytes(1 << 20), NOW_UNIX_MS).expect("nobody else uses the folder")
}
