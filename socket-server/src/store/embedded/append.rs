//! Samples on their way in.

use std::collections::HashMap;

use fjall::OwnedWriteBatch;
use prost::Message as _;

use super::{keys, pack::BUCKET_MS, tables::Tables, view::read_ranges, writer::WriterState};
use crate::store::{DroppedRecord, HostId, SampleBatch, SeqRanges, StoreError, rollup::step_start};

/// Epochs whose settled ranges are kept in memory, some 150 bytes each: a large fleet, or a smaller one with a few
/// epochs each. A fleet that does not fit would read its ranges again at every commit.
const SETTLED_CACHE_MAX: usize = 16_384;

/// Settled ranges of the epochs that hosts write to now, and the bucket that each host's samples fall into.
#[derive(Default)]
pub(super) struct SettledCache {
    ranges: HashMap<(HostId, String), SeqRanges>,
    /// The bucket that was marked as pending last: at 1 Hz one sample in 600 needs the mark.
    marked: HashMap<HostId, i64>,
}

/// A batch in the form in which it is kept; made by the caller, so that the one thread that writes does not
/// copy what it only needs encoded.
pub(super) struct Prepared {
    host: HostId,
    epoch: String,
    samples: Vec<PreparedSample>,
    dropped: Vec<DroppedRecord>,
}

struct PreparedSample {
    seq: u64,
    time_unix_ms: i64,
    encoded: Vec<u8>,
}

impl From<&SampleBatch> for Prepared {
    fn from(batch: &SampleBatch) -> Self {
        let samples = batch.samples.iter().map(|sample| PreparedSample {
            seq: sample.seq,
            time_unix_ms: sample.time_unix_ms,
            encoded: sample.encode_to_vec(),
        });
        Self {
            host: batch.host.clone(),
            epoch: batch.epoch.clone(),
            samples: samples.collect(),
            dropped: batch.dropped.clone(),
        }
    }
}

impl SettledCache {
    /// Forgets a host that was deleted.
    pub(super) fn forget(&mut self, host: &HostId) {
        self.ranges.retain(|(other, _), _| other != host);
        self.marked.remove(host);
    }

    /// Notes that a bucket of the host is no longer marked as pending.
    pub(super) fn unmark(&mut self, host: &HostId) {
        self.marked.remove(host);
    }

    fn take(&mut self, tables: &Tables, host: &HostId, epoch: &str) -> Result<SeqRanges, StoreError> {
        match self.ranges.remove(&(host.clone(), epoch.to_owned())) {
            Some(ranges) => Ok(ranges),
            None => read_ranges(tables.settled.get(keys::named(host, epoch))?.as_deref()),
        }
    }

    fn put(&mut self, host: &HostId, epoch: &str, ranges: SeqRanges) {
        if self.ranges.len() >= SETTLED_CACHE_MAX {
            self.ranges.clear();
            self.marked.clear();
        }
        self.ranges.insert((host.clone(), epoch.to_owned()), ranges);
    }
}

/// Writes what is new in the batches, in one atomic step.
pub(super) fn append(state: &mut WriterState, batches: Vec<Prepared>) -> Result<(), StoreError> {
    let tables = std::sync::Arc::clone(&state.tables);
    let mut write = tables.database.batch();
    let mut marked: HashMap<HostId, i64> = HashMap::new();
    let mut touched: HashMap<(HostId, String), SeqRanges> = HashMap::new();
    for batch in batches {
        check_name("host id", &batch.host.0)?;
        check_name("epoch", &batch.epoch)?;
        let of_batch = (batch.host.clone(), batch.epoch.clone());
        let mut settled = match touched.remove(&of_batch) {
            Some(settled) => settled,
            None => state.settled.take(&tables, &batch.host, &batch.epoch)?,
        };
        let known = marked
            .get(&batch.host)
            .or_else(|| state.settled.marked.get(&batch.host));
        let before = known.copied();
        let after = add_batch(&tables, &mut write, batch, &mut settled, before);
        if let Some(bucket) = after.filter(|_| after != before) {
            marked.insert(of_batch.0.clone(), bucket);
        }
        touched.insert(of_batch, settled);
    }
    for ((host, epoch), ranges) in &touched {
        write.insert(&tables.settled, keys::named(host, epoch), range_bytes(ranges));
    }
    // The ranges go back to the cache only after the commit: a failed one must not look settled.
    write.commit()?;
    for ((host, epoch), ranges) in touched {
        state.settled.put(&host, &epoch, ranges);
    }
    state.settled.marked.extend(marked);
    Ok(())
}

/// Counts sequence numbers as settled without their samples.
pub(super) fn settle(
    state: &mut WriterState,
    host: &HostId,
    epoch: &str,
    ranges: &SeqRanges,
) -> Result<(), StoreError> {
    check_name("host id", &host.0)?;
    check_name("epoch", epoch)?;
    let tables = std::sync::Arc::clone(&state.tables);
    let mut settled = state.settled.take(&tables, host, epoch)?;
    for (first, last) in ranges.iter() {
        settled.insert(first, last);
    }
    tables
        .settled
        .insert(keys::named(host, epoch), range_bytes(&settled))?;
    state.settled.put(host, epoch, settled);
    Ok(())
}

/// Adds what is new of a batch; `marked` is the bucket of the host that is marked already, and the answer the one
/// that is then.
fn add_batch(
    tables: &Tables,
    write: &mut OwnedWriteBatch,
    batch: Prepared,
    settled: &mut SeqRanges,
    mut marked: Option<i64>,
) -> Option<i64> {
    for sample in batch.samples {
        if settled.contains(sample.seq) {
            continue;
        }
        settled.insert(sample.seq, sample.seq);
        let key = keys::sample(&batch.host, sample.time_unix_ms, sample.seq, &batch.epoch);
        write.insert(&tables.raw, key, sample.encoded);
        let bucket = step_start(sample.time_unix_ms, BUCKET_MS);
        if marked != Some(bucket) {
            write.insert(&tables.pending, keys::at(&batch.host, bucket), Vec::new());
            marked = Some(bucket);
        }
    }
    for dropped in &batch.dropped {
        settled.insert(dropped.first_seq, dropped.last_seq);
        let key = keys::sample(&batch.host, dropped.from_unix_ms, dropped.first_seq, &batch.epoch);
        // A record of plain numbers always has a JSON form.
        write.insert(
            &tables.dropped,
            key,
            serde_json::to_vec(dropped).unwrap_or_default(),
        );
    }
    marked
}

fn check_name(what: &str, name: &str) -> Result<(), StoreError> {
    if name.len() <= keys::NAME_BYTES_MAX {
        return Ok(());
    }
    Err(StoreError::Damaged {
        reason: format!(
            "the {what} has {} bytes, more than {}",
            name.len(),
            keys::NAME_BYTES_MAX
        ),
    })
}

/// Pairs of first and last, big-endian.
fn range_bytes(ranges: &SeqRanges) -> Vec<u8> {
    ranges
        .iter()
        .flat_map(|(first, last)| [first.to_be_bytes(), last.to_be_bytes()])
        .flatten()
        .collect()
}
