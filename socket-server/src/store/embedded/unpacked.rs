//! Samples that are not packed yet, still encoded: a question reads little of each.

use fjall::{Readable as _, UserKey, UserValue};
use metric_flow_protocol::metrics::Sample;
use prost::Message as _;

use super::{
    bytes::damaged, encoded::seq_and_time, keys, pack::BUCKET_MS, run, sample_chunk::StoredSample, view::View,
};
use crate::store::{HostId, StoreError, rollup::step_start};

/// Unpacked samples of a window.
pub(super) struct Unpacked {
    rows: Vec<(UserKey, UserValue)>,
    /// By time, then by `seq`, then by epoch.
    places: Vec<Place>,
    host: HostId,
}

/// Where a sample is.
struct Place {
    time_unix_ms: i64,
    seq: u64,
    row: usize,
    begin: usize,
    end: usize,
}

/// A sample as it came over the wire.
pub(super) struct EncodedSample<'a> {
    pub(super) time_unix_ms: i64,
    pub(super) encoded: &'a [u8],
}

impl View {
    /// Samples of a window that are not packed yet.
    pub(super) fn unpacked(&self, host: &HostId, from: i64, to: i64) -> Result<Unpacked, StoreError> {
        let mut rows = Vec::new();
        let mut places = Vec::new();
        // A run stands under the time of its first sample, and ends before the next bucket.
        let range = keys::between(host, step_start(from, BUCKET_MS), to);
        for row in self.snapshot.range(&self.tables.raw, range) {
            let (key, value) = row.into_inner()?;
            let before = places.len();
            run::read(&value, |begin, encoded| {
                let (seq, time_unix_ms) = seq_and_time(encoded)?;
                if (from..to).contains(&time_unix_ms) {
                    places.push(Place {
                        time_unix_ms,
                        seq,
                        row: rows.len(),
                        begin,
                        end: begin + encoded.len(),
                    });
                }
                Ok(())
            })?;
            if places.len() > before {
                rows.push((key, value));
            }
        }
        let mut unpacked = Unpacked {
            rows,
            places: Vec::new(),
            host: host.clone(),
        };
        places.sort_by(|a, b| {
            let key = |place: &Place| (place.time_unix_ms, place.seq);
            let epoch = |place: &Place| unpacked.epoch(place);
            key(a).cmp(&key(b)).then_with(|| epoch(a).cmp(&epoch(b)))
        });
        unpacked.places = places;
        Ok(unpacked)
    }
}

impl Unpacked {
    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = EncodedSample<'_>> {
        self.places.iter().map(|place| EncodedSample {
            time_unix_ms: place.time_unix_ms,
            encoded: self.encoded(place),
        })
    }

    /// All of them, decoded.
    pub(super) fn samples(&self) -> Result<Vec<StoredSample>, StoreError> {
        let sample = |place: &Place| {
            let sample = Sample::decode(self.encoded(place))
                .map_err(|error| damaged(&format!("a sample cannot be read: {error}")))?;
            let epoch = self
                .epoch(place)
                .ok_or_else(|| damaged("a key is cut short"))?
                .to_owned();
            Ok(StoredSample { epoch, sample })
        };
        self.places.iter().map(sample).collect()
    }

    fn encoded(&self, place: &Place) -> &[u8] {
        &self.rows[place.row].1[place.begin..place.end]
    }

    fn epoch(&self, place: &Place) -> Option<&str> {
        keys::epoch_of(&self.host, &self.rows[place.row].0)
    }
}
