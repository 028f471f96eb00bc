//! The spool against a model: what was given to it is there, acknowledged or counted as lost, whatever happens.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::{collections::BTreeMap, fs, io::Write as _, path::Path, path::PathBuf, time::Duration};

use metric_flow_protocol::{metrics::Sample, node::DropReason};
use node_client::spool::{Spool, SpoolError, SpoolLimits};
use proptest::prelude::*;

const START_UNIX_MS: i64 = 1_800_000_000_000;

fn limits(bytes_max: u64) -> SpoolLimits {
    SpoolLimits {
        bytes_max,
        age_max: Duration::from_secs(7 * 86_400),
        segment_bytes: 600,
        memory_bytes_max: 2000,
    }
}

fn open(folder: &Path, bytes_max: u64) -> Spool {
    Spool::open(folder, limits(bytes_max), START_UNIX_MS).expect("the folder is free")
}

fn append(spool: &mut Spool, seconds: i64) -> Sample {
    let mut sample = Sample {
        time_unix_ms: START_UNIX_MS + seconds * 1000,
        uptime_seconds: Some(seconds as f64),
        ..Sample::default()
    };
    spool.append(&mut sample, START_UNIX_MS + seconds * 1000);
    sample
}

fn read_all(spool: &mut Spool) -> Vec<Sample> {
    let mut all: Vec<Sample> = Vec::new();
    loop {
        let after = all.last().map_or(spool.acknowledged(), |sample| sample.seq);
        let some = spool.read(after, spool.last_seq(), 7, 4096);
        if some.is_empty() {
            return all;
        }
        all.extend(some);
    }
}

fn last_segment(folder: &Path) -> Option<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .expect("list")
        .map(|entry| entry.expect("entry").path())
        .filter(|path| path.to_string_lossy().contains("segment-"))
        .collect();
    paths.sort();
    paths.pop()
}

#[test]
fn a_client_that_was_killed_between_making_a_segment_and_writing_it_has_lost_nothing() {
    for taken in [0, 3] {
        let folder = tempfile::tempdir().expect("temp folder");
        let mut spool = open(folder.path(), 100_000);
        for second in 0..taken {
            append(&mut spool, second);
        }
        let used = spool.last_seq();
        drop(spool);
        let next = folder.path().join(format!("segment-{:020}", used + 1));
        fs::write(&next, "").expect("an empty segment");
        let mut spool = open(folder.path(), 100_000);
        assert_eq!(spool.last_seq(), used);
        assert_eq!(spool.unreported(), []);
        assert_eq!(append(&mut spool, 9).seq, used + 1);
    }
}

#[derive(Debug, Clone)]
enum Step {
    Append(u8),
    Acknowledge(u8),
    Kill,
    Close,
    CutTail(u16),
    GarbageTail(u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1_u8..12).prop_map(Step::Append),
        2 => any::<u8>().prop_map(Step::Acknowledge),
        2 => Just(Step::Kill),
        1 => Just(Step::Close),
        1 => (1_u16..700).prop_map(Step::CutTail),
        1 => (1_u8..200).prop_map(Step::GarbageTail),
    ]
}

/// Runs the steps; gives the number of samples lost.
fn check(steps: Vec<Step>, bytes_max: u64) -> Result<u64, TestCaseError> {
    let folder = tempfile::tempdir().expect("temp folder");
    let mut spool = open(folder.path(), bytes_max);
    let epoch = spool.epoch().to_owned();
    let mut model: BTreeMap<u64, Sample> = BTreeMap::new();
    let mut seconds = 0;
    for step in steps {
        match step {
            Step::Append(count) => {
                for _ in 0..count {
                    seconds += 1;
                    let sample = append(&mut spool, seconds);
                    let newest = model.keys().next_back().copied().unwrap_or(0);
                    prop_assert!(sample.seq > newest, "{} was used before", sample.seq);
                    model.insert(sample.seq, sample);
                }
            }
            Step::Acknowledge(share) => {
                let open = spool.last_seq() - spool.acknowledged();
                let seq = spool.acknowledged() + open * u64::from(share) / 255;
                spool.acknowledge(seq);
            }
            Step::Kill => {
                drop(spool);
                spool = open(folder.path(), bytes_max);
            }
            Step::Close => {
                spool.close(START_UNIX_MS);
                drop(spool);
                spool = open(folder.path(), bytes_max);
            }
            Step::CutTail(bytes) => {
                drop(spool);
                if let Some(path) = last_segment(folder.path()) {
                    let mut file = fs::OpenOptions::new().append(true).open(path).expect("open");
                    let length = file.metadata().expect("metadata").len();
                    file.set_len(length.saturating_sub(u64::from(bytes)))
                        .expect("cut");
                    // The rest of a record that did not reach the disk whole.
                    file.write_all(&[0xff; 3]).expect("append");
                }
                spool = open(folder.path(), bytes_max);
            }
            Step::GarbageTail(bytes) => {
                drop(spool);
                if let Some(path) = last_segment(folder.path()) {
                    let mut file = fs::OpenOptions::new().append(true).open(path).expect("open");
                    file.write_all(&vec![bytes; usize::from(bytes)]).expect("append");
                }
                spool = open(folder.path(), bytes_max);
            }
        }
        prop_assert_eq!(spool.problem(), None);
        prop_assert_eq!(spool.epoch(), epoch.as_str());
        let there: BTreeMap<u64, Sample> = read_all(&mut spool)
            .into_iter()
            .map(|sample| (sample.seq, sample))
            .collect();
        for seq in spool.acknowledged() + 1..=spool.last_seq() {
            let lost = spool.drops().contains(seq);
            match (there.get(&seq), model.get(&seq)) {
                (Some(read), Some(given)) => prop_assert_eq!(read, given),
                (Some(_), None) => prop_assert!(false, "{} was never given", seq),
                (None, _) => prop_assert!(lost, "{} is neither there nor counted as lost", seq),
            }
        }
        prop_assert!(there.keys().all(|seq| *seq > spool.acknowledged()));
    }
    let lost = model
        .keys()
        .filter(|seq| **seq > spool.acknowledged() && spool.drops().contains(**seq))
        .count();
    Ok(lost as u64)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_sample_is_there_or_counted_whatever_happens(steps in proptest::collection::vec(step(), 1..25)) {
        check(steps, 1_000_000)?;
    }

    #[test]
    fn a_small_spool_drops_the_oldest_and_counts_them(steps in proptest::collection::vec(step(), 1..25)) {
        check(steps, 10_000)?;
    }

    #[test]
    fn a_killed_program_loses_nothing(steps in proptest::collection::vec(step(), 1..25)) {
        let steps = steps
            .into_iter()
            .filter(|step| !matches!(step, Step::CutTail(_) | Step::GarbageTail(_)))
            .collect();
        prop_assert_eq!(check(steps, 1_000_000)?, 0);
    }
}

#[test]
fn two_clients_do_not_share_a_spool() {
    let folder = tempfile::tempdir().expect("temp folder");
    let _first = open(folder.path(), 1_000_000);
    let second = Spool::open(folder.path(), limits(1_000_000), START_UNIX_MS);
    assert!(matches!(second, Err(SpoolError::InUse { .. })));
}

#[test]
fn a_folder_that_cannot_be_made_leaves_samples_in_memory_and_says_so() {
    let folder = tempfile::tempdir().expect("temp folder");
    let file = folder.path().join("file");
    fs::write(&file, "").expect("write");
    let mut spool = open(&file.join("below"), 1_000_000);
    assert!(spool.problem().expect("a problem").contains("in memory"));
    for second in 1..=200 {
        append(&mut spool, second);
    }
    let there = read_all(&mut spool);
    assert_eq!(there.last().expect("some").seq, 200);
    let lost = spool.unreported();
    assert_eq!(
        lost[0].last_seq + 1,
        there[0].seq,
        "memory is bounded, and what left it is counted"
    );
    assert_eq!(lost[0].reason, i32::from(DropReason::DiskFailed));
}

#[test]
fn what_is_too_old_is_dropped_and_counted_as_that() {
    let folder = tempfile::tempdir().expect("temp folder");
    let mut spool = open(folder.path(), 1_000_000);
    for second in 1..=100 {
        append(&mut spool, second);
    }
    append(&mut spool, 8 * 86_400);
    let lost = spool.unreported();
    assert_eq!(lost[0].reason, i32::from(DropReason::TooOld));
    assert_eq!(lost[0].first_seq, 1);
    assert_eq!(lost[0].from_unix_ms, START_UNIX_MS + 1000);
}

#[test]
fn a_spool_that_was_set_back_takes_numbers_above_those_that_the_server_knows() {
    let folder = tempfile::tempdir().expect("temp folder");
    let mut spool = open(folder.path(), 1_000_000);
    let taken: Vec<i64> = (1..=10)
        .map(|second| append(&mut spool, second).time_unix_ms)
        .collect();
    spool.agree(500, START_UNIX_MS);
    assert_eq!(spool.acknowledged(), 500);
    let again = read_all(&mut spool);
    assert_eq!(
        again.iter().map(|sample| sample.seq).collect::<Vec<_>>(),
        (501..=510).collect::<Vec<_>>()
    );
    assert_eq!(
        again.iter().map(|sample| sample.time_unix_ms).collect::<Vec<_>>(),
        taken
    );
}
