//! Samples on their way in.

use std::{
    collections::{HashMap, hash_map::Entry},
    ops::Range,
    sync::Arc,
};

use fjall::OwnedWriteBatch;
use metric_flow_protocol::metrics::Sample;
use prost::Message as _;

use super::{
    keys,
    pack::BUCKET_MS,
    run::{self, RUN_SAMPLES_MAX},
    tables::Tables,
    view::read_ranges,
    writer::WriterState,
};
use crate::store::{DroppedRecord, HostId, SampleBatch, SeqRanges, StoreError, rollup::step_start};

/// Epochs whose settled ranges are kept in memory, some 150 bytes each: a large fleet, or a smaller one with a few
/// epochs each. A fleet that does not fit would read its ranges again at every commit.
const SETTLED_CACHE_MAX: usize = 16_384;

/// A host, and the epoch that numbers its samples.
type Numbering = (HostId, String);

/// Settled ranges of the epochs that hosts write to now, and the bucket that each host's samples fall into.
#[derive(Default)]
pub(super) struct SettledCache {
    /// Without ranges where a commit took them and failed: they are read again.
    ranges: HashMap<Numbering, Option<SeqRanges>>,
    /// The bucket that was marked as pending last: at 1 Hz one sample in 600 needs the mark.
    marked: HashMap<HostId, i64>,
}

/// A batch in the form in which it is kept; made by the caller, so that the one thread that writes does not
/// encode.
pub(super) struct Prepared {
    numbering: Numbering,
    samples: Vec<PreparedSample>,
    /// The samples' bytes, one after the other.
    encoded: Vec<u8>,
    dropped: Vec<DroppedRecord>,
}

struct PreparedSample {
    seq: u64,
    time_unix_ms: i64,
    /// Where in the batch its bytes are.
    bytes: Range<usize>,
}

impl PreparedSample {
    fn bucket(&self) -> i64 {
        step_start(self.time_unix_ms, BUCKET_MS)
    }
}

impl From<&SampleBatch> for Prepared {
    fn from(batch: &SampleBatch) -> Self {
        let mut encoded = Vec::with_capacity(batch.samples.iter().map(Sample::encoded_len).sum());
        let mut samples = Vec::with_capacity(batch.samples.len());
        for sample in &batch.samples {
            let begin = encoded.len();
            // There is room for all of them, so that this cannot fail.
            let _ = sample.encode(&mut encoded);
            samples.push(PreparedSample {
                seq: sample.seq,
                time_unix_ms: sample.time_unix_ms,
                bytes: begin..encoded.len(),
            });
        }
        Self {
            numbering: (batch.host.clone(), batch.epoch.clone()),
            samples,
            encoded,
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

    fn take(&mut self, tables: &Tables, numbering: &Numbering) -> Result<SeqRanges, StoreError> {
        match self.ranges.get_mut(numbering).and_then(Option::take) {
            Some(ranges) => Ok(ranges),
            None => read_ranges(tables.settled.get(key_of(numbering))?.as_deref()),
        }
    }

    fn put(&mut self, numbering: &Numbering, ranges: SeqRanges) {
        if let Some(place) = self.ranges.get_mut(numbering) {
            *place = Some(ranges);
            return;
        }
        if self.ranges.len() >= SETTLED_CACHE_MAX {
            self.ranges.clear();
            self.marked.clear();
        }
        self.ranges.insert(numbering.clone(), Some(ranges));
    }
}

/// Writes what is new in the batches, in one atomic step.
pub(super) fn append(state: &mut WriterState, batches: &[Prepared]) -> Result<(), StoreError> {
    let tables = Arc::clone(&state.tables);
    let mut write = tables.database.batch();
    let mut marked: HashMap<&HostId, i64> = HashMap::new();
    let mut touched: HashMap<&Numbering, SeqRanges> = HashMap::with_capacity(batches.len());
    for batch in batches {
        let (host, epoch) = &batch.numbering;
        check_name("host id", &host.0)?;
        check_name("epoch", epoch)?;
        let settled = match touched.entry(&batch.numbering) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => place.insert(state.settled.take(&tables, &batch.numbering)?),
        };
        let before = marked
            .get(host)
            .or_else(|| state.settled.marked.get(host))
            .copied();
        let after = add_batch(&tables, &mut write, batch, settled, before);
        if let Some(bucket) = after.filter(|_| after != before) {
            marked.insert(host, bucket);
        }
    }
    for (numbering, ranges) in &touched {
        write.insert(&tables.settled, key_of(numbering), range_bytes(ranges));
    }
    // The ranges go back to the cache only after the commit: a failed one must not look settled.
    write.commit()?;
    for (numbering, ranges) in touched {
        state.settled.put(numbering, ranges);
    }
    let marked = marked.into_iter().map(|(host, bucket)| (host.clone(), bucket));
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
    let tables = Arc::clone(&state.tables);
    let numbering = (host.clone(), epoch.to_owned());
    let mut settled = state.settled.take(&tables, &numbering)?;
    for (first, last) in ranges.iter() {
        settled.insert(first, last);
    }
    tables.settled.insert(key_of(&numbering), range_bytes(&settled))?;
    state.settled.put(&numbering, settled);
    Ok(())
}

/// Adds what is new of a batch; `marked` is the bucket of the host that is marked already, and the answer the one
/// that is then.
fn add_batch(
    tables: &Tables,
    write: &mut OwnedWriteBatch,
    batch: &Prepared,
    settled: &mut SeqRanges,
    mut marked: Option<i64>,
) -> Option<i64> {
    let (host, epoch) = &batch.numbering;
    let mut fresh: Vec<&PreparedSample> = Vec::with_capacity(batch.samples.len());
    for sample in &batch.samples {
        if !settled.contains(sample.seq) {
            settled.insert(sample.seq, sample.seq);
            fresh.push(sample);
        }
    }
    fresh.sort_by_key(|sample| (sample.time_unix_ms, sample.seq));
    for of_bucket in fresh.chunk_by(|a, b| a.bucket() == b.bucket()) {
        for samples in of_bucket.chunks(RUN_SAMPLES_MAX) {
            let (first, bucket) = (samples[0], samples[0].bucket());
            let key = keys::sample(host, first.time_unix_ms, first.seq, epoch);
            let encoded = samples.iter().map(|sample| &batch.encoded[sample.bytes.clone()]);
            write.insert(&tables.raw, key, run::write(encoded));
            if marked != Some(bucket) {
                write.insert(&tables.pending, keys::at(host, bucket), Vec::new());
                marked = Some(bucket);
            }
        }
    }
    for dropped in &batch.dropped {
        settled.insert(dropped.first_seq, dropped.last_seq);
        let key = keys::sample(host, dropped.from_unix_ms, dropped.first_seq, epoch);
        // A record of plain numbers always has a JSON form.
        write.insert(
            &tables.dropped,
            key,
            serde_json::to_vec(dropped).unwrap_or_default(),
        );
    }
    marked
}

fn key_of((host, epoch): &Numbering) -> Vec<u8> {
    keys::named(host, epoch)
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
