//! The ledger finds what it is there to find.

use std::collections::BTreeMap;

use metric_flow_e2e::{
    host::End,
    ledger::{Entry, Held, check},
    tap::{Passed, PassedEpoch},
};
use metric_flow_protocol::{metrics::Sample, series::GapReason};
use socket_server::store::{DroppedRecord, NumberedSample};

const EPOCH: &str = "e1";

fn sample(seq: u64) -> Sample {
    Sample {
        seq,
        time_unix_ms: i64::try_from(seq).unwrap_or(0) * 100,
        ..Sample::default()
    }
}

/// A host that sent 1 to 10 and was told that 7 are durable.
fn entry() -> Entry {
    let sent = (1..=10).map(|seq| (seq, sample(seq))).collect();
    let epoch = PassedEpoch {
        sent,
        acknowledged: 7,
    };
    Entry {
        host: "one".to_owned(),
        passed: Passed {
            epochs: BTreeMap::from([(EPOCH.to_owned(), epoch)]),
            last_epoch: EPOCH.to_owned(),
            wrong: Vec::new(),
        },
        end: End {
            epoch: EPOCH.to_owned(),
            last_seq: 10,
        },
        may_lose: false,
    }
}

fn held(numbers: impl IntoIterator<Item = u64>) -> Held {
    let numbered = |seq| NumberedSample {
        epoch: EPOCH.to_owned(),
        sample: sample(seq),
    };
    let samples: Vec<NumberedSample> = numbers.into_iter().map(numbered).collect();
    let count = samples.len() as u64;
    Held {
        samples,
        settled: BTreeMap::from([(EPOCH.to_owned(), [(1, 10)].into_iter().collect())]),
        dropped: Vec::new(),
        seconds: count,
        minutes: count,
    }
}

fn lost_through(last_seq: u64) -> (String, DroppedRecord) {
    let record = DroppedRecord {
        first_seq: last_seq,
        last_seq,
        from_unix_ms: 0,
        to_unix_ms: 0,
        reason: GapReason::DiskFailed,
    };
    (EPOCH.to_owned(), record)
}

fn says(wrong: &[String], part: &str) -> bool {
    wrong.iter().any(|line| line.contains(part))
}

#[test]
fn a_store_that_holds_what_was_sent_is_right() {
    assert_eq!(check(&entry(), &held(1..=10)), Vec::<String>::new());
}

#[test]
fn a_lost_sample_is_found_whether_or_not_it_was_acknowledged() {
    for gone in [3, 9] {
        let wrong = check(&entry(), &held((1..=10).filter(|seq| *seq != gone)));
        assert!(
            says(&wrong, &format!("from number {gone} to {gone}")),
            "{wrong:?}"
        );
    }
}

#[test]
fn a_doubled_a_changed_and_an_invented_sample_are_found() {
    assert!(says(
        &check(&entry(), &held((1..=10).chain([4]))),
        "number 4 is doubled"
    ));
    assert!(says(
        &check(&entry(), &held(1..=11)),
        "number 11 is held and was never sent"
    ));
    let mut changed = held(1..=10);
    changed.samples[4].sample.time_unix_ms += 1;
    assert!(says(&check(&entry(), &changed), "number 5 was changed"));
}

#[test]
fn a_history_that_counts_a_sample_twice_is_found() {
    let mut twice = held(1..=10);
    twice.minutes += 1;
    assert!(says(
        &check(&entry(), &twice),
        "the history by the minute counts 11"
    ));
}

#[test]
fn a_loss_that_was_reported_is_right_only_where_samples_may_be_lost() {
    let mut reported = held(1..=9);
    reported.dropped.push(lost_through(10));
    assert!(says(&check(&entry(), &reported), "1 samples are lost"));
    let may_lose = Entry {
        may_lose: true,
        ..entry()
    };
    assert_eq!(check(&may_lose, &reported), Vec::<String>::new());
    assert!(says(&check(&may_lose, &held(1..=9)), "1 samples are lost"));
}

#[test]
fn numbers_that_are_not_settled_are_found() {
    let mut open = held(1..=10);
    open.settled = BTreeMap::from([(EPOCH.to_owned(), [(1, 4), (6, 10)].into_iter().collect())]);
    assert!(says(&check(&entry(), &open), "settled [(1, 4), (6, 10)]"));
}
