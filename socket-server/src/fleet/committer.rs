//! Makes samples durable in groups, away from the live path, and tells their connections.
//!
//! A store that is away is tried again until it is back. A batch that the store will never take stops nobody: it
//! is told apart by itself, counted, logged, and put down as a loss.

use std::{sync::Arc, time::Duration};

use metric_flow_protocol::{
    node::{DropReason, Dropped},
    series::GapReason,
};
use tokio::sync::{OwnedSemaphorePermit, RwLock, mpsc};
use tokio_util::sync::CancellationToken;

use super::{
    link::HostLink,
    room::Room,
    writer::{Queued, StoreHealth, Write},
};
use crate::store::{DroppedRecord, SampleBatch, SeqRanges, Store, StoreError};

/// Batches that one commit takes at most.
const GROUP_BATCHES_MAX: usize = 4_096;
/// How long a commit waits for company: at 1 Hz a fifth of all hosts share one write to the disk, and a host's
/// acknowledgement comes well within its second.
const COMMIT_LINGER: Duration = Duration::from_millis(200);
/// First and longest wait after a failed commit.
const RETRY_WAIT_MIN: Duration = Duration::from_millis(100);
const RETRY_WAIT_MAX: Duration = Duration::from_secs(5);

/// The task that commits what is queued.
pub(super) struct Committer {
    pub(super) store: Arc<dyn Store>,
    pub(super) queued: mpsc::Receiver<Queued>,
    /// Held shared while samples are written: see `Fleet::delete_host`.
    pub(super) removal: Arc<RwLock<()>>,
    pub(super) health: Arc<StoreHealth>,
    pub(super) ending: CancellationToken,
}

/// Batches of one commit, and where each came from.
#[derive(Default)]
struct Group {
    batches: Vec<SampleBatch>,
    origins: Vec<Origin>,
}

struct Origin {
    link: Arc<HostLink>,
    room: Arc<Room>,
    _place: OwnedSemaphorePermit,
}

enum Outcome {
    Stored,
    /// Trying again would not help.
    Refused(StoreError),
    /// The server ended before the store was back. The hosts were not told that these are durable: they replay
    /// them to the next server.
    Ended,
}

impl Committer {
    pub(super) async fn run(mut self) {
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
            self.commit(group.drain(..).collect()).await;
        }
    }

    async fn commit(&self, mut group: Group) {
        match self.store(&mut group).await {
            Outcome::Stored => {
                group.settle();
                self.health.succeeded();
            }
            Outcome::Ended => {}
            Outcome::Refused(error) if group.batches.len() == 1 => self.refused(group, &error).await,
            Outcome::Refused(_) => {
                for mut one in group.each() {
                    match self.store(&mut one).await {
                        Outcome::Stored => {
                            one.settle();
                            self.health.succeeded();
                        }
                        Outcome::Refused(error) => self.refused(one, &error).await,
                        Outcome::Ended => return,
                    }
                }
            }
        }
    }

    /// Stores a group; tries again while the store is away. Batches of hosts that were deleted leave the group.
    async fn store(&self, group: &mut Group) -> Outcome {
        let mut wait = RETRY_WAIT_MIN;
        loop {
            let tried = {
                let _shared = self.removal.read().await;
                group.forget_deleted_hosts();
                self.store.append(&group.batches).await
            };
            match tried {
                Ok(()) => return Outcome::Stored,
                Err(error) if error.is_temporary() => self.health.failed(&error),
                Err(error) => return Outcome::Refused(error),
            }
            if self.ending.is_cancelled() {
                return Outcome::Ended;
            }
            tokio::select! { () = tokio::time::sleep(wait) => {} () = self.ending.cancelled() => {} }
            wait = (wait * 2).min(RETRY_WAIT_MAX);
        }
    }

    /// Puts a batch down as a loss where the store says that it is the batch's own fault; else its host is asked to
    /// replay it once the store works again.
    async fn refused(&self, mut one: Group, error: &StoreError) {
        let (Some(batch), Some(origin)) = (one.batches.first_mut(), one.origins.first()) else {
            return;
        };
        let (host, samples) = (batch.host.clone(), batch.samples.len());
        if matches!(error, StoreError::Unfit { .. }) {
            tracing::error!(%host, samples, %error, "the store will never take these samples: they count as dropped");
            self.health.note_refused(samples);
            batch.dropped.extend(losses(batch));
            batch.samples.clear();
            if matches!(self.store(&mut one).await, Outcome::Stored) {
                one.settle();
                self.health.succeeded();
            }
        } else {
            tracing::error!(%host, samples, %error, "these samples cannot be stored: their host keeps them");
            self.health.failed(error);
            self.health.note_left_out(&origin.link);
        }
    }
}

impl FromIterator<Queued> for Group {
    fn from_iter<I: IntoIterator<Item = Queued>>(queued: I) -> Self {
        let mut group = Self::default();
        for (Write { batch, link, room }, place) in queued {
            group.batches.push(batch);
            group.origins.push(Origin {
                link,
                room,
                _place: place,
            });
        }
        group
    }
}

impl Group {
    fn forget_deleted_hosts(&mut self) {
        let kept = |(batch, origin): (&SampleBatch, &Origin)| origin.room.has(&batch.host);
        if self.batches.iter().zip(&self.origins).all(kept) {
            return;
        }
        let mut group = Self::default();
        for (batch, origin) in std::mem::take(&mut self.batches)
            .into_iter()
            .zip(std::mem::take(&mut self.origins))
        {
            if origin.room.has(&batch.host) {
                group.batches.push(batch);
                group.origins.push(origin);
            }
        }
        *self = group;
    }

    fn each(self) -> impl Iterator<Item = Self> {
        self.batches
            .into_iter()
            .zip(self.origins)
            .map(|(batch, origin)| Self {
                batches: vec![batch],
                origins: vec![origin],
            })
    }

    /// Tells the connections what is durable now.
    fn settle(&self) {
        for (batch, origin) in self.batches.iter().zip(&self.origins) {
            let stored = batch.samples.iter().map(|sample| (sample.seq, sample.seq));
            let dropped = batch
                .dropped
                .iter()
                .map(|dropped| (dropped.first_seq, dropped.last_seq));
            origin.link.settle(stored.chain(dropped));
        }
    }
}

/// The samples of a batch as losses, one for each unbroken range.
fn losses(batch: &SampleBatch) -> Vec<DroppedRecord> {
    let seqs: SeqRanges = batch
        .samples
        .iter()
        .map(|sample| (sample.seq, sample.seq))
        .collect();
    let losses = seqs.iter().map(|(first_seq, last_seq)| {
        let times = || {
            let within = batch
                .samples
                .iter()
                .filter(move |sample| (first_seq..=last_seq).contains(&sample.seq));
            within.map(|sample| sample.time_unix_ms)
        };
        DroppedRecord {
            first_seq,
            last_seq,
            from_unix_ms: times().min().unwrap_or(0),
            to_unix_ms: times().max().unwrap_or(0),
            reason: GapReason::Damaged,
        }
    });
    losses.collect()
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
