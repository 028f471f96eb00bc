//! Things to put into a store.

use std::collections::BTreeMap;

use metric_flow_protocol::{
    deploy::{DeployEvent, DeployOutcome},
    metrics::{Cpu, FileSystem, Interface, Load, Memory, Sample},
    node::HostFacts,
};
use socket_server::store::{
    Account, AccountId, AnswerRecord, ApiKey, ApiKeyId, DeployRecord, HostId, HostRecord, SampleBatch,
    Session,
};

/// A full hour, so that minutes and hours start where the cases expect: 2026-11-21 12:00 UTC.
pub(crate) const NOON: i64 = 1_795_262_400_000;

pub(crate) fn account(name: &str) -> Account {
    Account {
        id: AccountId(format!("account-{name}")),
        name: name.to_owned(),
        password_hash: "$2b$04$nothing".to_owned(),
        created_unix_ms: NOON,
    }
}

pub(crate) fn session(token: &str, family: &str, owner: &str) -> Session {
    Session {
        token_hash: token.to_owned(),
        family: family.to_owned(),
        account: account(owner).id,
        expires_unix_ms: NOON + 3_600_000,
        used: false,
    }
}

pub(crate) fn api_key(name: &str, owner: &str) -> ApiKey {
    ApiKey {
        id: ApiKeyId(format!("key-{name}")),
        account: account(owner).id,
        key_hash: format!("hash-{name}"),
        prefix: "mf_12345678".to_owned(),
        label: name.to_owned(),
        created_unix_ms: NOON,
        expires_unix_ms: None,
        last_used_unix_ms: None,
    }
}

pub(crate) fn host(name: &str, owner: &str) -> HostRecord {
    HostRecord {
        id: HostId(format!("host-{name}")),
        account: account(owner).id,
        machine_identity: format!("machine-{name}"),
        epoch: "epoch-1".to_owned(),
        given_name: Some(name.to_owned()),
        own_labels: BTreeMap::from([("role".to_owned(), "db".to_owned())]),
        given_labels: BTreeMap::from([("rack.row".to_owned(), "$7".to_owned())]),
        facts: HostFacts {
            host_name: name.to_owned(),
            memory_total_bytes: 8 << 30,
            ..HostFacts::default()
        },
        created_unix_ms: NOON,
        last_seen_unix_ms: NOON,
        cloned_identity: false,
    }
}

pub(crate) fn deploy_event(release: &str, owner: &str, started_unix_ms: i64) -> DeployRecord {
    DeployRecord {
        account: account(owner).id,
        event: DeployEvent {
            release_id: release.to_owned(),
            project: "lab".to_owned(),
            who: "ada@laptop".to_owned(),
            host: Some("alpha".to_owned()),
            what: "rollout".to_owned(),
            started_unix_ms,
            finished_unix_ms: None,
            outcome: DeployOutcome::Running,
        },
    }
}

pub(crate) fn answer(name: &str, kind: &str, time_unix_ms: i64) -> AnswerRecord {
    AnswerRecord {
        account: account("ada").id,
        host: host(name, "ada").id,
        kind: kind.to_owned(),
        time_unix_ms,
        body: serde_json::json!({ "of": name }),
    }
}

/// The sample of second `seq` after noon: load is `seq`, the network counter grows by 100 a second.
pub(crate) fn sample(seq: u64) -> Sample {
    sample_at(seq, NOON + i64::try_from(seq).expect("small") * 1_000)
}

pub(crate) fn sample_at(seq: u64, time_unix_ms: i64) -> Sample {
    Sample {
        seq,
        time_unix_ms,
        cpu: Some(Cpu {
            used_percent: 0.5 + (seq % 100) as f32,
            core_used_percent: vec![1.25, 2.5],
            ..Cpu::default()
        }),
        load: Some(Load {
            one_minute: seq as f32,
            ..Load::default()
        }),
        memory: Some(Memory {
            total_bytes: 8 << 30,
            used_bytes: (1 << 30) + seq * 4096,
            ..Memory::default()
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
        uptime_seconds: Some(seq as f64),
        ..Sample::default()
    }
}

pub(crate) fn batch(host_name: &str, seqs: impl IntoIterator<Item = u64>) -> SampleBatch {
    SampleBatch {
        account: account("ada").id,
        host: host(host_name, "ada").id,
        epoch: "epoch-1".to_owned(),
        samples: seqs.into_iter().map(sample).collect(),
        dropped: Vec::new(),
    }
}
