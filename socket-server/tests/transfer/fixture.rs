//! Stores to move, and the whole of what one holds, to be compared.

use std::collections::BTreeMap;

use metric_flow_protocol::{
    metrics::{Cpu, FileSystem, Interface, Load, Sample},
    node::HostFacts,
    series::GapReason,
};
use socket_server::store::{
    Account, AccountId, ApiKey, ApiKeyId, DroppedRecord, HostId, HostRecord, NumberedSample, SampleBatch,
    Session, Store, TransferStore,
};

/// A full hour: 2026-11-21 12:00 UTC.
pub(crate) const NOON: i64 = 1_795_262_400_000;

/// Seconds of samples of each host, over more than one window.
pub(crate) const SECONDS: u64 = 1_300;

pub(crate) fn host_id(name: &str) -> HostId {
    HostId(format!("host-{name}"))
}

fn account(name: &str) -> Account {
    Account {
        id: AccountId(format!("account-{name}")),
        name: name.to_owned(),
        password_hash: format!("$2b$04${name}"),
        created_unix_ms: NOON,
    }
}

fn api_key(name: &str, owner: &str) -> ApiKey {
    ApiKey {
        id: ApiKeyId(format!("key-{name}")),
        account: account(owner).id,
        key_hash: format!("hash-{name}"),
        prefix: "mf_12345678".to_owned(),
        label: name.to_owned(),
        created_unix_ms: NOON,
        expires_unix_ms: Some(NOON + 1),
        last_used_unix_ms: None,
    }
}

pub(crate) fn host(name: &str, owner: &str) -> HostRecord {
    HostRecord {
        id: host_id(name),
        account: account(owner).id,
        machine_identity: format!("machine-{name}"),
        epoch: "epoch-1".to_owned(),
        given_name: None,
        own_labels: BTreeMap::from([("role".to_owned(), "db".to_owned())]),
        given_labels: BTreeMap::new(),
        facts: HostFacts {
            host_name: name.to_owned(),
            ..HostFacts::default()
        },
        created_unix_ms: NOON,
        last_seen_unix_ms: NOON,
        cloned_identity: false,
    }
}

pub(crate) fn sample(seq: u64) -> Sample {
    Sample {
        seq,
        time_unix_ms: NOON + i64::try_from(seq).expect("small") * 1_000,
        cpu: Some(Cpu {
            used_percent: 0.1 + (seq % 100) as f32,
            core_used_percent: vec![1.25, 2.5],
            ..Cpu::default()
        }),
        load: Some(Load {
            one_minute: seq as f32 / 3.0,
            ..Load::default()
        }),
        file_systems: vec![FileSystem {
            mount_point: "/srv/a.b".to_owned(),
            device: "/dev/vda1".to_owned(),
            total_bytes: 1 << 40,
            used_bytes: 1 << 39,
        }],
        interfaces: vec![Interface {
            name: "eth0".to_owned(),
            received_bytes_total: 1_000_000 + seq * 100,
            ..Interface::default()
        }],
        uptime_seconds: Some(seq as f64 / 7.0),
        ..Sample::default()
    }
}

pub(crate) fn batch(name: &str, owner: &str, seqs: impl IntoIterator<Item = u64>) -> SampleBatch {
    SampleBatch {
        account: account(owner).id,
        host: host_id(name),
        epoch: "epoch-1".to_owned(),
        samples: seqs.into_iter().map(sample).collect(),
        dropped: Vec::new(),
    }
}

/// Two accounts, a key each, hosts with two epochs, a hole, a dropped range and a clock that is years off.
pub(crate) async fn fill(store: &dyn Store) {
    for name in ["ada", "bob"] {
        store.create_account(account(name), false).await.expect("creates");
        store.create_api_key(api_key(name, name)).await.expect("creates");
        let session = Session {
            token_hash: format!("token-{name}"),
            family: name.to_owned(),
            account: account(name).id,
            expires_unix_ms: NOON + 3_600_000,
            used: false,
        };
        store.create_session(session).await.expect("creates");
    }
    for (name, owner) in [("one", "ada"), ("one1", "ada"), ("two", "bob")] {
        store.put_host(host(name, owner)).await.expect("puts");
        let mut first = batch(name, owner, (1..=SECONDS).filter(|seq| !(50..60).contains(seq)));
        first.dropped.push(DroppedRecord {
            first_seq: 50,
            last_seq: 54,
            from_unix_ms: NOON + 50_000,
            to_unix_ms: NOON + 54_000,
            reason: GapReason::SpoolFull,
        });
        let mut second = batch(name, owner, []);
        second.epoch = "epoch/2".to_owned();
        second.samples = [NOON + 500, NOON - 300_000_000_000, NOON + 300_000_000_000]
            .into_iter()
            .zip(1..)
            .map(|(time_unix_ms, seq)| Sample {
                time_unix_ms,
                ..sample(seq)
            })
            .collect();
        store.append(&[first, second]).await.expect("appends");
    }
}

/// Everything that a move keeps.
#[derive(Debug, PartialEq)]
pub(crate) struct Whole {
    accounts: Vec<Account>,
    keys: Vec<ApiKey>,
    hosts: Vec<HostRecord>,
    samples: Vec<NumberedSample>,
    dropped: Vec<(String, DroppedRecord)>,
    settled: Vec<(String, Vec<(u64, u64)>)>,
}

impl Whole {
    /// The same without the samples of `epoch-1` from a number on.
    pub(crate) fn without_samples_from(mut self, first: u64) -> Self {
        let is_before = |epoch: &str, seq: u64| epoch != "epoch-1" || seq < first;
        self.samples.retain(|one| is_before(&one.epoch, one.sample.seq));
        for (epoch, ranges) in &mut self.settled {
            ranges.retain(|(seq, _)| is_before(epoch, *seq));
        }
        self
    }
}

pub(crate) async fn whole(store: &dyn TransferStore) -> Whole {
    let accounts = store.accounts().await.expect("lists");
    let mut keys = Vec::new();
    for account in &accounts {
        keys.extend(store.api_keys(&account.id).await.expect("lists"));
    }
    let hosts = store.all_hosts().await.expect("lists");
    let (mut samples, mut dropped, mut settled) = (Vec::new(), Vec::new(), Vec::new());
    for host in &hosts {
        let mut of_host = store.samples(&host.id, -i64::MAX, i64::MAX).await.expect("reads");
        of_host.sort_by_key(|numbered| (numbered.sample.time_unix_ms, numbered.epoch.clone()));
        samples.extend(of_host);
        dropped.extend(store.dropped_by_epoch(&host.id).await.expect("reads"));
        for (epoch, ranges) in store.epochs(&host.id).await.expect("reads") {
            settled.push((epoch, ranges.iter().collect()));
        }
    }
    Whole {
        accounts,
        keys,
        hosts,
        samples,
        dropped,
        settled,
    }
}
