//! Every account's room, and the calls that sockets and pages make on them.

use std::{collections::HashMap, sync::Arc};

use metric_flow_lifecycle::Shutdown;
use metric_flow_protocol::{
    live::{HostDetail, HostSummary},
    node::Batch,
};
use parking_lot::RwLock;

use super::{
    frame::summaries,
    host_entry::HostEntry,
    link::{CloseReason, HostLink},
    outbox::Viewer,
    presence::Joined,
    room::Room,
    writer::{StoreHealth, Write, Writer},
};
use crate::{
    clock::now_unix_ms,
    store::{AccountId, ApiKeyId, DroppedRecord, SampleBatch, Store, StoreError},
};

/// Every account's hosts and viewers.
pub struct Fleet {
    pub(super) rooms: RwLock<HashMap<AccountId, Arc<Room>>>,
    pub(super) store: Arc<dyn Store>,
    /// Held shared while something of a host is written, and alone for a moment when a host is deleted.
    pub(super) removal: Arc<tokio::sync::RwLock<()>>,
    writer: Writer,
    sockets: Shutdown,
}

/// How many there are, for `/metrics`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FleetCounts {
    /// Hosts known.
    pub hosts: usize,
    /// Hosts with an open connection.
    pub hosts_online: usize,
    /// Viewers with an open connection.
    pub viewers: usize,
    /// Samples that the store will never take, since the start.
    pub samples_refused: u64,
}

impl Fleet {
    /// Reads every host from the store. Tasks of the live path belong to `sockets`; the store's writer belongs to
    /// `storage`, which ends after them.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn load(
        store: Arc<dyn Store>,
        sockets: &Shutdown,
        storage: &Shutdown,
    ) -> Result<Arc<Self>, StoreError> {
        let mut rooms: HashMap<AccountId, Arc<Room>> = HashMap::new();
        for record in store.all_hosts().await? {
            let room = rooms.entry(record.account.clone()).or_default();
            room.lock()
                .hosts
                .insert(record.id.clone(), Box::new(HostEntry::new(record)));
        }
        let removal = Arc::new(tokio::sync::RwLock::new(()));
        let writer = Writer::start(Arc::clone(&store), Arc::clone(&removal), storage);
        Ok(Arc::new(Self {
            rooms: RwLock::new(rooms),
            store,
            removal,
            writer,
            sockets: sockets.clone(),
        }))
    }

    pub(super) fn room(&self, account: &AccountId) -> Arc<Room> {
        if let Some(room) = self.rooms.read().get(account) {
            return Arc::clone(room);
        }
        Arc::clone(self.rooms.write().entry(account.clone()).or_default())
    }

    /// Takes a batch in: shows it at once, then hands it to the store's writer. Waits only when the writer works
    /// and is behind; while the store is away the batch is left out, and the host replays it later.
    pub async fn ingest(&self, joined: &Joined, batch: Batch) {
        let received_unix_ms = now_unix_ms();
        joined
            .room
            .publish(&joined.host, batch.sent_unix_ms, received_unix_ms, &batch.samples);
        let batch = SampleBatch {
            account: joined.account.clone(),
            host: joined.host.clone(),
            epoch: batch.epoch,
            samples: batch.samples,
            dropped: batch.dropped.iter().map(DroppedRecord::from).collect(),
        };
        self.writer
            .queue(Write {
                batch,
                link: Arc::clone(&joined.link),
                room: Arc::clone(&joined.room),
            })
            .await;
    }

    /// The state of the store's writer.
    pub fn store_health(&self) -> &StoreHealth {
        self.writer.health()
    }

    /// Every host of an account, by name.
    pub fn hosts(&self, account: &AccountId) -> Vec<HostSummary> {
        let sketches = self.room(account).lock().sketches();
        summaries(sketches)
    }

    /// Adds a viewer to its account's room.
    pub fn join_viewer(&self, account: &AccountId, viewer: Arc<Viewer>) {
        self.room(account).join(viewer, &self.sockets);
    }

    /// Removes a viewer.
    pub fn leave_viewer(&self, account: &AccountId, viewer: &Arc<Viewer>) {
        self.room(account).leave(viewer);
    }

    /// Replaces the hosts that a viewer has open; returns what is remembered of those that are new to it.
    pub fn subscribe(&self, account: &AccountId, viewer: &Viewer, hosts: Vec<String>) -> Vec<HostDetail> {
        self.room(account).subscribe(viewer, hosts)
    }

    /// Tells a room that one of its viewers waits for the whole state.
    pub fn refresh(&self, account: &AccountId) {
        self.room(account).wake();
    }

    /// Closes the connections of a key.
    pub fn close_key(&self, account: &AccountId, key: &ApiKeyId, reason: CloseReason) {
        for entry in self.room(account).lock().hosts.values() {
            if let Some(link) = entry.link.as_ref().filter(|link| link.key == *key) {
                link.mailbox.close(reason);
            }
        }
    }

    /// Closes the viewers of a log-in.
    pub fn close_session_family(&self, account: &AccountId, family: &str) {
        for viewer in self.room(account).lock().viewers() {
            if viewer.session_family == family {
                viewer.mailbox.close(CloseReason::LoggedOut);
            }
        }
    }

    /// Closes every viewer of an account.
    pub fn close_account_viewers(&self, account: &AccountId) {
        for viewer in self.room(account).lock().viewers() {
            viewer.mailbox.close(CloseReason::LoggedOut);
        }
    }

    /// Asks every connection whether its peer still lives, and closes those whose key or log-in has ended.
    pub fn sweep(&self, now_unix_ms: i64) {
        self.for_each_connection(
            |link| match link.key_expires_unix_ms {
                Some(end) if end <= now_unix_ms => link.mailbox.close(CloseReason::KeyExpired),
                _ => link.mailbox.probe(),
            },
            |viewer| {
                if viewer.session_expires_unix_ms <= now_unix_ms {
                    viewer.mailbox.close(CloseReason::SessionExpired);
                } else {
                    viewer.mailbox.probe();
                }
            },
        );
    }

    /// Closes every connection.
    pub fn close_all(&self, reason: CloseReason) {
        self.for_each_connection(
            |link| link.mailbox.close(reason),
            |viewer| viewer.mailbox.close(reason),
        );
    }

    fn for_each_connection(&self, host: impl Fn(&HostLink), viewer: impl Fn(&Viewer)) {
        let rooms: Vec<_> = self.rooms.read().values().cloned().collect();
        for room in rooms {
            let state = room.lock();
            state
                .hosts
                .values()
                .filter_map(|entry| entry.link.as_deref())
                .for_each(&host);
            state.viewers().iter().map(AsRef::as_ref).for_each(&viewer);
        }
    }

    /// How many hosts and viewers there are.
    pub fn counts(&self) -> FleetCounts {
        let mut counts = FleetCounts {
            samples_refused: self.store_health().samples_refused(),
            ..FleetCounts::default()
        };
        for room in self.rooms.read().values() {
            let state = room.lock();
            counts.hosts += state.hosts.len();
            counts.hosts_online += state.hosts.values().filter(|entry| entry.link.is_some()).count();
            counts.viewers += state.viewers().len();
        }
        counts
    }
}
