//! A host's record as it stays in memory: what each sample and each hello looks at in the open, the rest encoded.

use std::collections::BTreeMap;

use metric_flow_protocol::node::{HostFacts, Label};
use prost::Message;

use crate::store::{AccountId, HostId, HostRecord};

/// A record in some 400 bytes, where its maps and strings would take 1,700: ten thousand idle hosts are kept so.
#[derive(Debug, Clone)]
pub(super) struct KeptRecord {
    pub(super) id: HostId,
    pub(super) machine_identity: Box<str>,
    pub(super) epoch: Box<str>,
    pub(super) last_seen_unix_ms: i64,
    pub(super) cloned_identity: bool,
    rest: Box<[u8]>,
}

/// What is needed only when a host comes, goes, is shown whole or is changed.
#[derive(Clone, PartialEq, Message)]
struct Rest {
    #[prost(string, tag = "1")]
    account: String,
    #[prost(string, optional, tag = "2")]
    given_name: Option<String>,
    #[prost(message, repeated, tag = "3")]
    own_labels: Vec<Label>,
    #[prost(message, repeated, tag = "4")]
    given_labels: Vec<Label>,
    #[prost(message, optional, tag = "5")]
    facts: Option<HostFacts>,
    #[prost(int64, tag = "6")]
    created_unix_ms: i64,
}

impl From<HostRecord> for KeptRecord {
    fn from(record: HostRecord) -> Self {
        let rest = Rest {
            account: record.account.0,
            given_name: record.given_name,
            own_labels: list(record.own_labels),
            given_labels: list(record.given_labels),
            facts: Some(record.facts),
            created_unix_ms: record.created_unix_ms,
        };
        Self {
            id: record.id,
            machine_identity: record.machine_identity.into_boxed_str(),
            epoch: record.epoch.into_boxed_str(),
            last_seen_unix_ms: record.last_seen_unix_ms,
            cloned_identity: record.cloned_identity,
            rest: rest.encode_to_vec().into_boxed_slice(),
        }
    }
}

impl KeptRecord {
    /// The whole record.
    pub(super) fn whole(&self) -> HostRecord {
        // It was encoded by this process, from the same type: it can be read.
        let rest = Rest::decode(&*self.rest).unwrap_or_default();
        HostRecord {
            id: self.id.clone(),
            account: AccountId(rest.account),
            machine_identity: self.machine_identity.to_string(),
            epoch: self.epoch.to_string(),
            given_name: rest.given_name,
            own_labels: map(rest.own_labels),
            given_labels: map(rest.given_labels),
            facts: rest.facts.unwrap_or_default(),
            created_unix_ms: rest.created_unix_ms,
            last_seen_unix_ms: self.last_seen_unix_ms,
            cloned_identity: self.cloned_identity,
        }
    }

    /// MAC addresses of its last hello.
    pub(super) fn mac_addresses(&self) -> Vec<String> {
        self.whole().facts.mac_addresses
    }
}

fn list(labels: BTreeMap<String, String>) -> Vec<Label> {
    labels
        .into_iter()
        .map(|(name, value)| Label { name, value })
        .collect()
}

fn map(labels: Vec<Label>) -> BTreeMap<String, String> {
    labels
        .into_iter()
        .map(|label| (label.name, label.value))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_comes_back_whole() {
        let labels = |name: &str| BTreeMap::from([(name.to_owned(), "x".to_owned())]);
        for given_name in [None, Some("rack".to_owned())] {
            let record = HostRecord {
                id: HostId("h".into()),
                account: AccountId("a".into()),
                machine_identity: "m".into(),
                epoch: "e".into(),
                given_name,
                own_labels: labels("own"),
                given_labels: labels("given"),
                facts: HostFacts {
                    host_name: "one".into(),
                    cpu_clock_max_mhz: Some(0),
                    mac_addresses: vec!["02:00:00:00:00:01".into()],
                    ..HostFacts::default()
                },
                created_unix_ms: -1,
                last_seen_unix_ms: 7,
                cloned_identity: true,
            };
            assert_eq!(KeptRecord::from(record.clone()).whole(), record);
        }
    }
}
