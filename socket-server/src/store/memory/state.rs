//! What the memory store holds, and the lock around it.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use metric_flow_protocol::metrics::Sample;

use crate::store::{
    Account, AccountId, AnswerRecord, ApiKey, ApiKeyId, DeployRecord, DroppedRecord, HostId, HostRecord,
    SeqRanges, Session,
};

/// Everything that the store holds.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) accounts: BTreeMap<AccountId, Account>,
    pub(super) sessions: HashMap<String, Session>,
    pub(super) api_keys: BTreeMap<ApiKeyId, ApiKey>,
    pub(super) hosts: BTreeMap<HostId, HostRecord>,
    pub(super) past: HashMap<HostId, Past>,
    /// By start, then by what names them.
    pub(super) deploy_events: BTreeMap<(i64, String), DeployRecord>,
    /// By host and kind.
    pub(super) answers: BTreeMap<(HostId, String), AnswerRecord>,
}

/// The samples of one host.
#[derive(Debug, Default)]
pub(super) struct Past {
    /// By host time, then epoch and `seq`: two epochs may share an instant.
    pub(super) samples: BTreeMap<(i64, String, u64), Sample>,
    pub(super) settled: HashMap<String, SeqRanges>,
    /// With the epoch of each.
    pub(super) dropped: Vec<(String, DroppedRecord)>,
}

/// The state behind its lock; never held across an await, since every method here is synchronous.
#[derive(Debug, Default)]
pub(super) struct Shared(Mutex<State>);

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // A panic while the lock was held cannot leave a half-written map behind: each method writes once.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
