//! One host as its room keeps it in memory.

use std::{collections::VecDeque, sync::Arc};

use metric_flow_protocol::{
    live::{HostRow, HostSummary},
    metrics::Sample,
};
use prost::Message as _;

use super::{
    clock::ClockOffset,
    kept_record::KeptRecord,
    link::HostLink,
    row::{Traffic, row_of},
};
use crate::store::HostRecord;

/// Samples kept for a host while a viewer has it open: 15 minutes at 1 Hz, about 250 bytes each.
const RECENT_SAMPLES_MAX: usize = 900;

/// A host, its connection and its newest readings.
#[derive(Debug)]
pub(super) struct HostEntry {
    pub(super) record: KeptRecord,
    /// The store has the record as it is; until then each hello writes it.
    pub(super) is_stored: bool,
    pub(super) link: Option<Arc<HostLink>>,
    pub(super) clock: ClockOffset,
    pub(super) latest: Option<HostRow>,
    traffic: Option<Traffic>,
    /// Its row is in the room's list for the next frame.
    pub(super) row_waits: bool,
    /// Kept only while a viewer has the host open.
    pub(super) open: Option<Box<OpenHost>>,
}

/// A host at one instant, its record still encoded.
#[derive(Debug)]
pub(super) struct HostSketch {
    record: KeptRecord,
    online: bool,
    clock_offset_ms: i64,
    latest: Option<HostRow>,
}

/// What is kept for a host only while a viewer has it open.
#[derive(Debug, Default)]
pub(super) struct OpenHost {
    pub(super) viewers: usize,
    /// Samples for the next detail frame.
    pub(super) pending: Vec<Sample>,
    /// Recent samples in their wire form, which takes a fifth of the decoded one.
    recent: VecDeque<Box<[u8]>>,
}

impl HostEntry {
    pub(super) fn new(record: HostRecord) -> Self {
        Self {
            record: record.into(),
            is_stored: true,
            link: None,
            clock: ClockOffset::default(),
            latest: None,
            traffic: None,
            row_waits: false,
            open: None,
        }
    }

    /// What its summary is made of, cheap to take while the room is locked.
    pub(super) fn sketch(&self) -> HostSketch {
        HostSketch {
            record: self.record.clone(),
            online: self.link.is_some(),
            clock_offset_ms: self.clock.offset_ms(),
            latest: self.latest.clone(),
        }
    }

    /// The host as the fleet page shows it.
    pub(super) fn summary(&self) -> HostSummary {
        self.sketch().into_summary()
    }

    /// Takes a sample in; returns whether it is the newest. An older one, replayed from a spool, must not bring
    /// an old number back onto the screen.
    pub(super) fn take(&mut self, sample: &Sample) -> bool {
        if self
            .latest
            .as_ref()
            .is_some_and(|latest| latest.time_unix_ms >= sample.time_unix_ms)
        {
            return false;
        }
        let (row, traffic) = row_of(&self.record.id.0, sample, self.traffic.as_ref());
        self.latest = Some(row);
        self.traffic = Some(traffic);
        if let Some(open) = &mut self.open {
            open.remember(sample);
        }
        true
    }
}

impl HostSketch {
    /// The host as the fleet page shows it.
    pub(super) fn into_summary(self) -> HostSummary {
        let record = self.record.whole();
        let name = record.given_name.unwrap_or_else(|| {
            let own_name = &record.facts.host_name;
            if own_name.is_empty() {
                &record.id.0
            } else {
                own_name
            }
            .clone()
        });
        let mut labels = record.own_labels;
        labels.extend(record.given_labels);
        HostSummary {
            id: record.id.0,
            name,
            labels,
            online: self.online,
            last_seen_unix_ms: record.last_seen_unix_ms,
            clock_offset_ms: self.clock_offset_ms,
            cloned_identity: record.cloned_identity,
            facts: Some(record.facts),
            latest: self.latest,
        }
    }
}

impl OpenHost {
    fn remember(&mut self, sample: &Sample) {
        if self.recent.len() >= RECENT_SAMPLES_MAX {
            self.recent.pop_front();
        }
        self.recent.push_back(sample.encode_to_vec().into_boxed_slice());
        if self.pending.len() >= RECENT_SAMPLES_MAX {
            self.pending.remove(0);
        }
        self.pending.push(sample.clone());
    }

    /// The samples since the host was opened, at most 15 minutes of them.
    pub(super) fn recent(&self) -> Vec<Sample> {
        self.recent
            .iter()
            .filter_map(|encoded| Sample::decode(&**encoded).ok())
            .collect()
    }
}
