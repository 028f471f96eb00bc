//! A host comes and goes: which row a hello belongs to, and what is durable of it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use metric_flow_protocol::{live::HostEventKind, node::Hello};
use thiserror::Error;

use super::{
    host_entry::HostEntry,
    link::{CloseReason, HostLink},
    registry::Fleet,
    room::{Room, RoomState},
    tidy::tidy,
};
use crate::{
    accounts::random_id,
    clock::now_unix_ms,
    store::{AccountId, HostId, HostRecord, StoreError},
};

/// How long a silent connection has to prove that it lives, before a newcomer with the same identity is taken for
/// the same host: a round trip over a bad link, twice.
const PROOF_OF_LIFE_MAX: Duration = Duration::from_secs(8);
/// How often the proof is looked for.
const PROOF_OF_LIFE_STEP: Duration = Duration::from_millis(20);
/// Labels that a host may give itself.
const LABELS_MAX: usize = 64;
/// Longest identity, epoch, label name or label value, in bytes.
const TEXT_BYTES_MAX: usize = 256;

/// A host that has said hello.
#[derive(Debug, Clone)]
pub struct Joined {
    pub(super) room: Arc<Room>,
    /// Whose host it is.
    pub account: AccountId,
    /// The host.
    pub host: HostId,
    /// The epoch of the hello.
    pub epoch: String,
    /// Its connection.
    pub link: Arc<HostLink>,
}

/// Why a hello is refused.
#[derive(Debug, Error)]
pub enum JoinError {
    /// The hello lacks something or is too long.
    #[error("{0}")]
    BadHello(&'static str),
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a hello means for the rows that are there.
enum Seat {
    /// The row is free, or its connection is to be replaced.
    Take(HostId),
    /// A connection with the same identity and another epoch: the same machine with a lost spool, or a clone.
    Contested(HostId, Arc<HostLink>),
    /// No row has this identity.
    New,
}

impl Fleet {
    /// Finds or makes the row of a host, marks it online, and reads what is durable of its epoch.
    ///
    /// # Errors
    /// When the hello is not acceptable, or the store fails.
    pub async fn join(
        &self,
        account: &AccountId,
        mut hello: Hello,
        link: Arc<HostLink>,
    ) -> Result<Joined, JoinError> {
        check(&hello)?;
        tidy(&mut hello);
        let room = self.room(account);
        let mut disproved = None;
        let (host, changed) = loop {
            let contested = {
                let mut state = room.lock();
                match find_seat(&state, &hello) {
                    Seat::Take(host) => break seat(&mut state, host, &hello, &link),
                    Seat::New => break seat_new(&mut state, account, &hello, &link, false),
                    Seat::Contested(host, other) => match disproved.take() {
                        Some(Proof::Alive) => break seat_new(&mut state, account, &hello, &link, true),
                        Some(Proof::Gone) => break seat(&mut state, host, &hello, &link),
                        None => other,
                    },
                }
            };
            disproved = Some(proof_of_life(&contested).await);
        };
        let joined = Joined {
            room,
            account: account.clone(),
            host,
            epoch: hello.epoch.clone(),
            link: Arc::clone(&link),
        };
        match self
            .persist_and_resume(&joined, changed, hello.acknowledged_seq)
            .await
        {
            Ok(()) => {
                joined.room.lock().note(&joined.host, HostEventKind::Online);
                joined.room.wake();
                Ok(joined)
            }
            Err(error) => {
                self.leave(&joined).await;
                Err(error.into())
            }
        }
    }

    async fn persist_and_resume(
        &self,
        joined: &Joined,
        changed: Vec<HostRecord>,
        acknowledged_seq: u64,
    ) -> Result<(), StoreError> {
        for record in changed {
            let host = record.id.clone();
            self.keep(&joined.room, record).await?;
            if let Some(entry) = joined.room.lock().hosts.get_mut(&host) {
                entry.is_stored = true;
            }
        }
        let settled = self.store.settled(&joined.host, &joined.epoch).await?;
        // The host forgets what it is told here. What a store shows may be on its way to the disk still; what it showed
        // before a write that worked is there.
        self.store.check().await?;
        joined
            .link
            .resume(settled.contiguous_from(acknowledged_seq), settled);
        Ok(())
    }

    /// Marks a host offline, unless a newer connection has its row already.
    pub async fn leave(&self, joined: &Joined) {
        let record = {
            let mut state = joined.room.lock();
            let Some(entry) = state.hosts.get_mut(&joined.host) else {
                return;
            };
            if !entry
                .link
                .as_ref()
                .is_some_and(|link| Arc::ptr_eq(link, &joined.link))
            {
                return;
            }
            entry.link = None;
            let record = entry.record.whole();
            state.note(&joined.host, HostEventKind::Offline);
            record
        };
        joined.room.wake();
        let kept = self.keep(&joined.room, record).await;
        if let Err(error) = kept
            && !matches!(error, StoreError::NotFound { .. })
        {
            tracing::warn!(%error, host = %joined.host, "could not note when the host was last seen");
        }
    }
}

fn check(hello: &Hello) -> Result<(), JoinError> {
    if hello.machine_identity.is_empty() {
        return Err(JoinError::BadHello("the hello has no machine_identity"));
    }
    if hello.epoch.is_empty() {
        return Err(JoinError::BadHello("the hello has no epoch"));
    }
    let texts = hello.labels.iter().flat_map(|label| [&label.name, &label.value]);
    let too_long = texts
        .chain([&hello.machine_identity, &hello.epoch])
        .any(|text| text.len() > TEXT_BYTES_MAX);
    if too_long || hello.labels.len() > LABELS_MAX {
        return Err(JoinError::BadHello(
            "the hello has more than 64 labels, or a text over 256 bytes",
        ));
    }
    Ok(())
}

fn find_seat(state: &RoomState, hello: &Hello) -> Seat {
    let mut same_identity: Vec<_> = state
        .hosts
        .values()
        .filter(|entry| *entry.record.machine_identity == *hello.machine_identity)
        .collect();
    if let Some(entry) = same_identity
        .iter()
        .find(|entry| *entry.record.epoch == *hello.epoch)
    {
        return Seat::Take(entry.record.id.clone());
    }
    // A new epoch: the spool is new. The row seen last is the likeliest, one with the same addresses even more.
    let addresses = |entry: &HostEntry| {
        hello.facts.as_ref().is_some_and(|facts| {
            !facts.mac_addresses.is_empty() && facts.mac_addresses == entry.record.mac_addresses()
        })
    };
    same_identity.sort_by_cached_key(|entry| (!addresses(entry), -entry.record.last_seen_unix_ms));
    if let Some(entry) = same_identity.iter().find(|entry| entry.link.is_none()) {
        return Seat::Take(entry.record.id.clone());
    }
    match same_identity.first() {
        Some(entry) => match &entry.link {
            Some(link) => Seat::Contested(entry.record.id.clone(), Arc::clone(link)),
            None => Seat::Take(entry.record.id.clone()),
        },
        None => Seat::New,
    }
}

enum Proof {
    Alive,
    Gone,
}

/// Asks the other connection to prove that its host lives: any frame counts.
async fn proof_of_life(link: &HostLink) -> Proof {
    let heard_before = link.heard();
    link.ask_for_proof();
    let deadline = tokio::time::Instant::now() + PROOF_OF_LIFE_MAX;
    while tokio::time::Instant::now() < deadline {
        if link.heard() != heard_before {
            return Proof::Alive;
        }
        if link.has_ended() {
            return Proof::Gone;
        }
        tokio::time::sleep(PROOF_OF_LIFE_STEP).await;
    }
    Proof::Gone
}

/// Gives a row to a connection; returns the records that changed.
fn seat(
    state: &mut RoomState,
    host: HostId,
    hello: &Hello,
    link: &Arc<HostLink>,
) -> (HostId, Vec<HostRecord>) {
    let mut changed = Vec::new();
    if let Some(entry) = state.hosts.get_mut(&host) {
        if let Some(other) = entry.link.replace(Arc::clone(link)) {
            other.mailbox.close(CloseReason::Replaced);
        }
        let before = entry.record.whole();
        let mut record = before.clone();
        describe(&mut record, hello);
        entry.clock.read(hello.sent_unix_ms, now_unix_ms());
        entry.is_stored &= before == record;
        // Also when an earlier hello found the store away: samples without their host would be lost with this process.
        if !entry.is_stored {
            changed.push(record.clone());
            entry.record = record.into();
        }
        entry.record.last_seen_unix_ms = now_unix_ms();
    }
    (host, changed)
}

/// Makes a row. When the machine identity is cloned, every row that has it is flagged.
fn seat_new(
    state: &mut RoomState,
    account: &AccountId,
    hello: &Hello,
    link: &Arc<HostLink>,
    cloned: bool,
) -> (HostId, Vec<HostRecord>) {
    let mut changed = Vec::new();
    if cloned {
        let mut flagged = Vec::new();
        for entry in state.hosts.values_mut() {
            if *entry.record.machine_identity == *hello.machine_identity && !entry.record.cloned_identity {
                entry.record.cloned_identity = true;
                entry.is_stored = false;
                flagged.push(entry.record.id.clone());
                changed.push(entry.record.whole());
            }
        }
        for id in flagged {
            state.note(&id, HostEventKind::Changed);
        }
    }
    let now = now_unix_ms();
    let mut record = HostRecord {
        id: HostId(random_id()),
        account: account.clone(),
        machine_identity: hello.machine_identity.clone(),
        epoch: String::new(),
        given_name: None,
        own_labels: BTreeMap::new(),
        given_labels: BTreeMap::new(),
        facts: metric_flow_protocol::node::HostFacts::default(),
        created_unix_ms: now,
        last_seen_unix_ms: now,
        cloned_identity: cloned,
    };
    describe(&mut record, hello);
    let mut entry = HostEntry::new(record.clone());
    entry.is_stored = false;
    entry.clock.read(hello.sent_unix_ms, now);
    entry.link = Some(Arc::clone(link));
    let host = record.id.clone();
    state.hosts.insert(host.clone(), Box::new(entry));
    changed.push(record);
    (host, changed)
}

fn describe(record: &mut HostRecord, hello: &Hello) {
    record.epoch.clone_from(&hello.epoch);
    if let Some(facts) = &hello.facts {
        record.facts = facts.clone();
    }
    record.own_labels = hello
        .labels
        .iter()
        .map(|label| (label.name.clone(), label.value.clone()))
        .collect();
}
