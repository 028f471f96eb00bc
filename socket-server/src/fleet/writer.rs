//! The queue of samples before the store, and how the store does.
//!
//! Policy when the queue is full (`leave out`): while the store works, a session waits and so slows its own host
//! down; while the store is away, the batch is left out, not acknowledged, and the host is asked to connect again
//! and replay it once the store is back. Nothing acknowledged is ever lost; live goes on in both cases.

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use metric_flow_lifecycle::Shutdown;
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, RwLock, Semaphore, mpsc};

use super::{
    committer::Committer,
    link::{CloseReason, HostLink},
    room::Room,
};
use crate::store::{SampleBatch, Store, StoreError};

/// Samples that may wait for the store, a few seconds of a large fleet: a decoded one takes one or two KiB.
const QUEUE_SAMPLES_MAX: usize = 16_384;
/// How often a session that waits for room looks whether the store went away.
const ROOM_LOOK: Duration = Duration::from_millis(500);

/// A batch on its way to the store, and the connection that waits for its acknowledgement.
pub(super) struct Write {
    pub(super) batch: SampleBatch,
    pub(super) link: Arc<HostLink>,
    pub(super) room: Arc<Room>,
}

pub(super) type Queued = (Write, OwnedSemaphorePermit);

/// Whether the store takes what is written, for `/readyz` and for the policy above.
#[derive(Debug, Default)]
pub struct StoreHealth {
    trouble: Mutex<Option<String>>,
    left_out: Mutex<Vec<Weak<HostLink>>>,
    samples_refused: AtomicU64,
}

impl StoreHealth {
    /// Why the last commit failed, until one succeeds.
    pub fn trouble(&self) -> Option<String> {
        self.trouble.lock().clone()
    }

    /// Samples since the start that the store will never take.
    pub fn samples_refused(&self) -> u64 {
        self.samples_refused.load(Ordering::Relaxed)
    }

    pub(super) fn note_refused(&self, samples: usize) {
        self.samples_refused.fetch_add(samples as u64, Ordering::Relaxed);
    }

    pub(super) fn failed(&self, error: &StoreError) {
        let mut trouble = self.trouble.lock();
        if trouble.is_none() {
            tracing::error!(%error, "samples cannot be stored: live goes on, nothing is acknowledged");
        }
        *trouble = Some(error.to_string());
    }

    pub(super) fn succeeded(&self) {
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

    pub(super) fn note_left_out(&self, link: &Arc<HostLink>) {
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
    pub(super) fn start(store: Arc<dyn Store>, removal: Arc<RwLock<()>>, storage: &Shutdown) -> Self {
        let (queue, queued) = mpsc::channel(QUEUE_SAMPLES_MAX);
        let health = Arc::new(StoreHealth::default());
        let committer = Committer {
            store,
            queued,
            removal,
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
