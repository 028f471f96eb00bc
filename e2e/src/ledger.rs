//! What each host sent and was told, against what the store holds: nothing lost, nothing twice, nothing invented.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::AddAssign,
};

use socket_server::store::{
    DroppedRecord, HostRecord, NumberedSample, Resolution, SAMPLE_WINDOW_MS, SeqRanges, StoreError,
    TransferStore,
};

use crate::{
    host::End,
    tap::{Passed, PassedEpoch},
};

/// A series that every sample has.
const EVERY_SAMPLE: &str = "memory_total_bytes";
/// More rows than any run makes.
const ROWS_MAX: usize = 1_000_000;

/// One host's side.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The host's name.
    pub host: String,
    /// What passed on its wire.
    pub passed: Passed,
    /// How its client ended.
    pub end: End,
    /// Whether samples may be lost, as long as they were reported.
    pub may_lose: bool,
}

/// What a run came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Total {
    /// Different samples that were sent.
    pub sent: u64,
    /// Samples in the store.
    pub held: u64,
    /// Samples that were reported as lost, where they may be.
    pub reported: u64,
}

impl AddAssign for Total {
    fn add_assign(&mut self, other: Self) {
        self.sent += other.sent;
        self.held += other.held;
        self.reported += other.reported;
    }
}

/// What the store holds of one host.
#[derive(Debug, Clone, Default)]
pub struct Held {
    /// Every sample, by time.
    pub samples: Vec<NumberedSample>,
    /// What it counts as settled.
    pub settled: BTreeMap<String, SeqRanges>,
    /// What was reported as lost.
    pub dropped: Vec<(String, DroppedRecord)>,
    /// Samples that the history by the second counts.
    pub seconds: u64,
    /// Samples that the history by the minute counts.
    pub minutes: u64,
}

/// Compares all hosts with a store whose server is dead; returns what is wrong in words.
///
/// # Errors
/// When the store cannot be read.
pub async fn compare(store: &dyn TransferStore, entries: &[Entry]) -> Result<(Total, Vec<String>), String> {
    let words = |error: StoreError| error.to_string();
    let hosts = store.all_hosts().await.map_err(words)?;
    let (mut total, mut wrong) = (Total::default(), Vec::new());
    for entry in entries {
        let mut found = hosts.iter().filter(|host| host.facts.host_name == entry.host);
        let (Some(host), None) = (found.next(), found.next()) else {
            wrong.push(format!(
                "{}: the store does not know exactly one host of that name",
                entry.host
            ));
            continue;
        };
        let held = read(store, host).await.map_err(words)?;
        total += Total {
            sent: entry
                .passed
                .epochs
                .values()
                .map(|epoch| epoch.sent.len() as u64)
                .sum(),
            held: held.samples.len() as u64,
            reported: held
                .dropped
                .iter()
                .map(|(_, lost)| lost.last_seq - lost.first_seq + 1)
                .sum(),
        };
        wrong.extend(
            check(entry, &held)
                .into_iter()
                .map(|what| format!("{}: {what}", entry.host)),
        );
    }
    Ok((total, wrong))
}

async fn read(store: &dyn TransferStore, host: &HostRecord) -> Result<Held, StoreError> {
    let mut held = Held {
        settled: store.epochs(&host.id).await?,
        dropped: store.dropped_by_epoch(&host.id).await?,
        ..Held::default()
    };
    let mut from = 0;
    while let Some(window) = store.next_window(&host.id, from).await? {
        from = window + SAMPLE_WINDOW_MS;
        held.samples.extend(store.samples(&host.id, window, from).await?);
    }
    let series = [EVERY_SAMPLE.to_owned()];
    let count = async |resolution| {
        let rows = store
            .history(&host.id, &series, resolution, 0, i64::MAX / 2, ROWS_MAX)
            .await?;
        Ok::<u64, StoreError>(rows.iter().map(|row| u64::from(row.samples)).sum())
    };
    held.seconds = count(Resolution::Second).await?;
    held.minutes = count(Resolution::Minute).await?;
    Ok(held)
}

/// What is wrong with a host's past. Pure.
pub fn check(entry: &Entry, held: &Held) -> Vec<String> {
    let mut wrong = entry.passed.wrong.clone();
    let mut numbers: BTreeMap<&str, BTreeSet<u64>> = BTreeMap::new();
    let nothing = PassedEpoch::default();
    let passed = |epoch: &str| entry.passed.epochs.get(epoch).unwrap_or(&nothing);
    for NumberedSample { epoch, sample } in &held.samples {
        if !numbers.entry(epoch).or_default().insert(sample.seq) {
            wrong.push(format!("number {} is doubled", sample.seq));
        }
        match passed(epoch).sent.get(&sample.seq) {
            None => wrong.push(format!("number {} is held and was never sent", sample.seq)),
            Some(sent) if sent != sample => {
                wrong.push(format!("number {} was changed: {sent:?} {sample:?}", sample.seq))
            }
            Some(_) => {}
        }
    }
    let is_held = |epoch: &str, seq: u64| numbers.get(epoch).is_some_and(|numbers| numbers.contains(&seq));
    let is_reported = |epoch: &str, seq: u64| {
        held.dropped
            .iter()
            .any(|(of, lost)| of == epoch && (lost.first_seq..=lost.last_seq).contains(&seq))
    };
    let end = &entry.end;
    for (epoch, passed) in &entry.passed.epochs {
        let last = if *epoch == end.epoch { end.last_seq } else { 0 };
        let lost: Vec<u64> = (1..=passed.acknowledged.max(last))
            .filter(|seq| {
                let is_explained = is_held(epoch, *seq) || (entry.may_lose && is_reported(epoch, *seq));
                !is_explained
            })
            .collect();
        if let (Some(first), Some(last)) = (lost.first(), lost.last()) {
            let count = lost.len();
            wrong.push(format!("{count} samples are lost, from number {first} to {last}"));
        }
    }
    let settled: Vec<(u64, u64)> = held
        .settled
        .get(&end.epoch)
        .map(|ranges| ranges.iter().collect())
        .unwrap_or_default();
    if settled != [(1, end.last_seq)] {
        wrong.push(format!(
            "took 1..={}, the store has settled {settled:?}",
            end.last_seq
        ));
    }
    if !entry.may_lose && !held.dropped.is_empty() {
        wrong.push(format!("samples were reported as lost: {:?}", held.dropped));
    }
    let count = held.samples.len() as u64;
    for (resolution, found) in [("second", held.seconds), ("minute", held.minutes)] {
        if found != count {
            wrong.push(format!(
                "{count} samples are held, the history by the {resolution} counts {found}"
            ));
        }
    }
    wrong
}
