//! What an export file is made of.
//!
//! `MFEXPORT`, the version (u32), then records, each of a section's code (u8), a length (u32) and that many bytes;
//! the manifest is the last record; after it come 32 bytes, the SHA-256 of all before. Numbers are little-endian.
//! Sections stand in the order of [`Section::ALL`]. Samples and roll-ups are protobuf, which keeps numbers to the
//! bit; the rest is JSON.

use metric_flow_protocol::metrics::Sample;
use prost::Message;
use serde::{Deserialize, Serialize};

use crate::store::{
    Account, AnswerRecord, ApiKey, DeployRecord, DroppedRecord, HostRecord, Resolution, SeriesAggregate,
    rollup::{Rollup, RollupStep},
};

/// First bytes of every export.
pub(super) const MAGIC: [u8; 8] = *b"MFEXPORT";

/// The format that this release writes.
pub(super) const VERSION: u32 = 2;

/// The oldest format that this release reads: it lacks rollouts and answers.
pub(super) const VERSION_OLDEST: u32 = 1;

/// Name of the file when a folder is given.
pub const EXPORT_FILE: &str = "metric-flow.export";

/// Code of the manifest's record.
pub(super) const MANIFEST: u8 = 0xff;

/// Longest record, in bytes: a damaged length cannot make the reader take more memory than this.
pub(super) const RECORD_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Samples of one record: about a megabyte.
pub(super) const PAGE_SAMPLES_MAX: usize = 1_000;

/// A part of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Section {
    /// Accounts with their password hashes. Log-ins are left out: people log in again.
    Accounts,
    /// API keys, as hashes.
    ApiKeys,
    /// From when on each resolution is kept.
    KeptFrom,
    /// Hosts.
    Hosts,
    /// Minutes and hours of which the samples are gone.
    Rollups,
    /// Samples; minutes and hours of them are made again.
    Samples,
    /// Ranges that were reported as dropped.
    Dropped,
    /// Sequence numbers that need not be sent again. After the samples, so that none is taken for stored before it is.
    Settled,
    /// What rollouts did.
    DeployEvents,
    /// What hosts answered.
    Answers,
}

impl Section {
    /// Every section in the order of the file.
    pub const ALL: [Self; 10] = [
        Self::Accounts,
        Self::ApiKeys,
        Self::KeptFrom,
        Self::Hosts,
        Self::Rollups,
        Self::Samples,
        Self::Dropped,
        Self::Settled,
        Self::DeployEvents,
        Self::Answers,
    ];

    /// What is counted in it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accounts => "accounts",
            Self::ApiKeys => "API keys",
            Self::KeptFrom => "retention marks",
            Self::Hosts => "hosts",
            Self::Rollups => "roll-ups",
            Self::Samples => "samples",
            Self::Dropped => "dropped ranges",
            Self::Settled => "epochs",
            Self::DeployEvents => "rollout events",
            Self::Answers => "answers",
        }
    }

    pub(super) fn code(self) -> u8 {
        self as u8 + 1
    }

    pub(super) fn of_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|section| section.code() == code)
    }
}

/// What one record holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Item {
    Account(Account),
    ApiKey(ApiKey),
    KeptFrom(KeptFrom),
    Host(Box<HostRecord>),
    Rollups(RollupPage),
    Samples(SamplePage),
    Dropped(DroppedItem),
    Settled(SettledItem),
    DeployEvent(DeployRecord),
    Answer(AnswerRecord),
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct KeptFrom {
    pub(super) resolution: Resolution,
    pub(super) time_unix_ms: i64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct DroppedItem {
    pub(super) host: String,
    pub(super) epoch: String,
    pub(super) range: DroppedRecord,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct SettledItem {
    pub(super) host: String,
    pub(super) epoch: String,
    pub(super) ranges: Vec<(u64, u64)>,
}

/// Samples of one epoch of a host.
#[derive(Clone, PartialEq, Message)]
pub(super) struct SamplePage {
    #[prost(string, tag = "1")]
    pub(super) host: String,
    #[prost(string, tag = "2")]
    pub(super) epoch: String,
    #[prost(message, repeated, tag = "3")]
    pub(super) samples: Vec<Sample>,
}

/// Steps of one resolution of a host.
#[derive(Clone, PartialEq, Message)]
pub(super) struct RollupPage {
    #[prost(string, tag = "1")]
    pub(super) host: String,
    /// Hours, not minutes.
    #[prost(bool, tag = "2")]
    pub(super) hours: bool,
    #[prost(message, repeated, tag = "3")]
    pub(super) steps: Vec<StepRecord>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct StepRecord {
    #[prost(int64, tag = "1")]
    start_unix_ms: i64,
    #[prost(uint32, tag = "2")]
    samples: u32,
    #[prost(message, repeated, tag = "3")]
    series: Vec<SeriesRecord>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct SeriesRecord {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(double, tag = "2")]
    min: f64,
    #[prost(double, tag = "3")]
    max: f64,
    #[prost(double, tag = "4")]
    sum: f64,
    #[prost(double, tag = "5")]
    last: f64,
    #[prost(uint32, tag = "6")]
    count: u32,
}

/// What the whole file holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub(super) sections: Vec<SectionSum>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SectionSum {
    pub(super) section: Section,
    pub(super) count: u64,
    pub(super) sha256: String,
}

impl Item {
    pub(super) fn section(&self) -> Section {
        match self {
            Self::Account(_) => Section::Accounts,
            Self::ApiKey(_) => Section::ApiKeys,
            Self::KeptFrom(_) => Section::KeptFrom,
            Self::Host(_) => Section::Hosts,
            Self::Rollups(_) => Section::Rollups,
            Self::Samples(_) => Section::Samples,
            Self::Dropped(_) => Section::Dropped,
            Self::Settled(_) => Section::Settled,
            Self::DeployEvent(_) => Section::DeployEvents,
            Self::Answer(_) => Section::Answers,
        }
    }

    /// How many things it counts for.
    pub(super) fn count(&self) -> u64 {
        match self {
            Self::Rollups(page) => page.steps.len() as u64,
            Self::Samples(page) => page.samples.len() as u64,
            _ => 1,
        }
    }

    pub(super) fn encode(&self) -> Result<Vec<u8>, serde_json::Error> {
        match self {
            Self::Account(account) => serde_json::to_vec(account),
            Self::ApiKey(key) => serde_json::to_vec(key),
            Self::KeptFrom(mark) => serde_json::to_vec(mark),
            Self::Host(host) => serde_json::to_vec(host),
            Self::Rollups(page) => Ok(page.encode_to_vec()),
            Self::Samples(page) => Ok(page.encode_to_vec()),
            Self::Dropped(dropped) => serde_json::to_vec(dropped),
            Self::Settled(settled) => serde_json::to_vec(settled),
            Self::DeployEvent(event) => serde_json::to_vec(event),
            Self::Answer(answer) => serde_json::to_vec(answer),
        }
    }

    pub(super) fn decode(section: Section, bytes: &[u8]) -> Result<Self, String> {
        let item = match section {
            Section::Accounts => serde_json::from_slice(bytes).map(Self::Account),
            Section::ApiKeys => serde_json::from_slice(bytes).map(Self::ApiKey),
            Section::KeptFrom => serde_json::from_slice(bytes).map(Self::KeptFrom),
            Section::Hosts => serde_json::from_slice(bytes).map(Self::Host),
            Section::Dropped => serde_json::from_slice(bytes).map(Self::Dropped),
            Section::Settled => serde_json::from_slice(bytes).map(Self::Settled),
            Section::DeployEvents => serde_json::from_slice(bytes).map(Self::DeployEvent),
            Section::Answers => serde_json::from_slice(bytes).map(Self::Answer),
            Section::Rollups => {
                let page = RollupPage::decode(bytes).map_err(|error| error.to_string())?;
                return Ok(Self::Rollups(page));
            }
            Section::Samples => {
                let page = SamplePage::decode(bytes).map_err(|error| error.to_string())?;
                return Ok(Self::Samples(page));
            }
        };
        item.map_err(|error| error.to_string())
    }
}

impl RollupPage {
    pub(super) fn new(host: &str, resolution: Resolution, rollup: Rollup) -> Self {
        let step = |(start_unix_ms, step): (i64, RollupStep)| StepRecord {
            start_unix_ms,
            samples: step.samples,
            series: step
                .series
                .into_iter()
                .map(|(name, value)| SeriesRecord {
                    name,
                    min: value.min,
                    max: value.max,
                    sum: value.sum,
                    last: value.last,
                    count: value.count,
                })
                .collect(),
        };
        Self {
            host: host.to_owned(),
            hours: resolution == Resolution::Hour,
            steps: rollup.steps.into_iter().map(step).collect(),
        }
    }

    pub(super) fn resolution(&self) -> Resolution {
        if self.hours {
            Resolution::Hour
        } else {
            Resolution::Minute
        }
    }

    pub(super) fn into_rollup(self) -> Rollup {
        let aggregate = |series: SeriesRecord| {
            let value = SeriesAggregate {
                min: series.min,
                max: series.max,
                sum: series.sum,
                last: series.last,
                count: series.count,
            };
            (series.name, value)
        };
        let step = |step: StepRecord| {
            let series = step.series.into_iter().map(aggregate).collect();
            let samples = step.samples;
            (step.start_unix_ms, RollupStep { samples, series })
        };
        Rollup {
            steps: self.steps.into_iter().map(step).collect(),
        }
    }
}
