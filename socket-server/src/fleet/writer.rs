//! Makes samples durable in groups, away from the live path.
//!
//! Policy when the queue is full (`leave out`): while the store works, a session waits and so slows its own host
//! down; while the store is away, the batch is left out, not acknowledged, and the host is asked to connect again
//! and replay it once the store is back. Nothing acknowledged is ever lost; live goes on in both cases.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use metric_flow_lifecycle::Shutdown;
use metric_flow_protocol::{
    node::{DropReason, Dropped},
    series::GapReason,
};
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use super::link::{CloseReason, HostLink};
use crate::store::{DroppedRecord, SampleBatch, SeqRanges, Store, StoreError};

/// Samples that may wait for the store, a few seconds of a large fleet: a decoded one takes one or two KiB.
const QUEUE_SAMPLES_MAX: usize = 16_384;
/// Batches that one commit takes at most.
const GROUP_BATCHES_MAX: usize = 4_096;
/// How long a commit waits for company: at 1 Hz a fifth of all hosts share one write to the disk, and a host's
/// acknowledgement comes well within its second.
const COMMIT_LINGER: Duration = Duration::from_millis(200);
/// First and longest wait after a failed commit.
const RETRY_WAIT_MIN: Duration = Duration::from_millis(100);
const RETRY_WAIT_MAX: Duration = Duration::from_secs(5);

/// How often a session that waits for room looks whether the store went away.
const ROOM_LOOK: Duration = Duration::from_millis(500);

/// A batch on its way to the store, and the connection that waits for its acknowledgement.
pub(super) struct Write {
    pub(super) batch: SampleBatch,
    pub(super) link: Arc<HostLink>,
}

type Queued = (Write, OwnedSemaphorePermit);

/// Whether the store takes what is written, for `/readyz` and for the policy above.
#[derive(Debug, Default)]
pub struct StoreHealth {
    trouble: Mutex<Option<String>>,
    left_out: Mutex<Vec<Weak<HostLink>>>,
}

impl StoreHealth {
    /// Why the last commit failed, until one succeeds.
    pub fn trouble(&self) -> Option<String> {
        self.trouble.lock().clone()
    }

    fn failed(&self, error: &StoreError) {
        let mut trouble = self.trouble.lock();
        if trouble.is_none() {
            tracing::error!(%error, "samples cannot be stored: live goes on, nothing is acknowledged");
        }
        *trouble = Some(error.to_string());
    }

    fn succeeded(&self) {
        if self.trouble.lock().take().is_some() {
            tracing::info!("samples are stored again");
        }
        for link in std::mem::take(&mut *self.left_out.lock())
            .iter()
            .filter_map(Weak::upgrade)
        {
            link.mailbox.close(CloseReason::ReplayNeeded);
        }
    }

    fn note_left_out(&self, link: &Arc<HostLink>) {
        if !link.was_left_out() {
            link.note_left_out();
            self.left_out.lock().push(Arc::downgrade(link));
        }
    }
}

/// The way to the task that commits.
#[derive(Debug)]
pub(super) struct Writer {
    queue: mpsc::Sender<Queued>,
    room: Arc<Semaphore>,
    health: Arc<StoreHealth>,
}

impl Writer {
    /// Starts the task; it ends with `storage`, after one last commit.
    pub(super) fn start(store: Arc<dyn Store>, storage: &Shutdown) -> Self {
        let (queue, queued) = mpsc::channel(QUEUE_SAMPLES_MAX);
        let health = Arc::new(StoreHealth::default());
        let committer = Committer {
            store,
            queued,
            health: Arc::clone(&health),
            ending: storage.token().clone(),
        };
        storage.spawn(committer.run());
        Self {
            queue,
            room: Arc::new(Semaphore::new(QUEUE_SAMPLES_MAX)),
            health,
        }
    }

    pub(super) fn health(&self) -> &StoreHealth {
        &self.health
    }

    /// Queues a batch by the policy above.
    pub(super) async fn queue(&self, write: Write) {
        let weight = u32::try_from(write.batch.samples.len().clamp(1, QUEUE_SAMPLES_MAX)).unwrap_or(1);
        let permit = match Arc::clone(&self.room).try_acquire_many_owned(weight) {
            Ok(permit) => Some(permit),
            Err(_) if self.health.trouble.lock().is_some() => None,
            // Seldom needed: on the heap, so that idle sessions do not carry it.
            Err(_) => Box::pin(self.wait_for_room(weight)).await,
        };
        let link = Arc::clone(&write.link);
        let queued = permit.is_some_and(|permit| self.queue.try_send((write, permit)).is_ok());
        if !queued {
            self.health.note_left_out(&link);
        }
    }

    /// Waits for room in the queue; gives up when the store goes away meanwhile.
    async fn wait_for_room(&self, weight: u32) -> Option<OwnedSemaphorePermit> {
        loop {
            let room = Arc::clone(&self.room).acquire_many_owned(weight);
            match tokio::time::timeout(ROOM_LOOK, room).await {
                Ok(permit) => return permit.ok(),
                Err(_) if self.health.trouble.lock().is_some() => return None,
                Err(_) => {}
            }
        }
    }
}

struct Committer {
    store: Arc<dyn Store>,
    queued: mpsc::Receiver<Queued>,
    health: Arc<StoreHealth>,
    ending: CancellationToken,
}

impl Committer {
    async fn run(mut self) {
        let mut group = Vec::new();
        loop {
            let ending = tokio::select! {
                count = self.queued.recv_many(&mut group, GROUP_BATCHES_MAX) => count == 0,
                () = self.ending.cancelled() => true,
            };
            if !ending && group.len() < GROUP_BATCHES_MAX {
                tokio::select! { () = tokio::time::sleep(COMMIT_LINGER) => {} () = self.ending.cancelled() => {} }
            }
            while group.len() < GROUP_BATCHES_MAX {
                let Ok(next) = self.queued.try_recv() else { break };
                group.push(next);
            }
            if group.is_empty() && ending {
                return;
            }
            self.commit(std::mem::take(&mut group)).await;
        }
    }

    async fn commit(&self, group: Vec<Queued>) {
        let (batches, links): (Vec<_>, Vec<_>) = group
            .into_iter()
            .map(|(write, permit)| (write.batch, (write.link, permit)))
            .unzip();
        let mut wait = RETRY_WAIT_MIN;
        loop {
            match self.store.append(&batches).await {
                Ok(()) => break,
                Err(error) => self.health.failed(&error),
            }
            if self.ending.is_cancelled() {
                // The hosts were not told that these are durable: they replay them to the next server.
                return;
            }
            tokio::select! { () = tokio::time::sleep(wait) => {} () = self.ending.cancelled() => {} }
            wait = (wait * 2).min(RETRY_WAIT_MAX);
        }
        for (batch, (link, _)) in batches.iter().zip(&links) {
            let stored: SeqRanges = batch
                .samples
                .iter()
                .map(|sample| (sample.seq, sample.seq))
                .collect();
            let dropped = batch
                .dropped
                .iter()
                .map(|dropped| (dropped.first_seq, dropped.last_seq));
            link.settle(stored.iter().chain(dropped));
        }
        self.health.succeeded();
    }
}

impl From<&Dropped> for DroppedRecord {
    fn from(dropped: &Dropped) -> Self {
        Self {
            first_seq: dropped.first_seq,
            last_seq: dropped.last_seq,
            from_unix_ms: dropped.from_unix_ms,
            to_unix_ms: dropped.to_unix_ms,
            reason: match dropped.reason() {
                DropReason::Unknown => GapReason::NotReceived,
                DropReason::SpoolFull => GapReason::SpoolFull,
                DropReason::TooOld => GapReason::TooOld,
                DropReason::Damaged => GapReason::Damaged,
                DropReason::DiskFailed => GapReason::DiskFailed,
            },
        }
    }
}
