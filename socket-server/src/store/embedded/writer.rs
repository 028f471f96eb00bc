//! The one thread that writes: jobs run one after another, and a group of them shares one fsync.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use fjall::PersistMode;
use tokio::sync::{mpsc, oneshot};

use super::{append::SettledCache, tables::Tables};
use crate::store::StoreError;

/// How long appends wait for company before their fsync: a thousand hosts then cost some twenty commits a
/// second, and an acknowledgement is late by less than a viewer notices.
const GROUP_WINDOW: Duration = Duration::from_millis(40);

/// How often the thread looks for company.
const GROUP_POLL: Duration = Duration::from_millis(1);

/// Most jobs in a group, so that the first is not kept waiting.
const GROUP_JOBS_MAX: usize = 4_096;

/// Jobs that may wait; a full queue makes callers wait, which holds back the hosts.
const QUEUE_JOBS: usize = 1_024;

/// What jobs work on.
pub(super) struct WriterState {
    pub(super) tables: Arc<Tables>,
    pub(super) settled: SettledCache,
}

type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

struct Job {
    run: Box<dyn FnOnce(&mut WriterState) -> Answer + Send>,
    /// Whether it may wait for company.
    patient: bool,
}

/// The way to the thread; when it is dropped, the thread ends after what it has begun.
pub(super) struct Writer {
    queue: Option<mpsc::Sender<Job>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(tables: Arc<Tables>) -> std::io::Result<Self> {
        let (queue, jobs) = mpsc::channel(QUEUE_JOBS);
        let state = WriterState {
            tables,
            settled: SettledCache::default(),
        };
        let thread = thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || run(state, jobs))?;
        Ok(Self {
            queue: Some(queue),
            thread: Some(thread),
        })
    }

    /// Runs a job on the thread; returns when what it wrote is durable.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        patient: bool,
        job: impl FnOnce(&mut WriterState) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (sender, receiver) = oneshot::channel();
        let run = Box::new(move |state: &mut WriterState| -> Answer {
            let result = job(state);
            Box::new(move |durable| {
                // A caller that has gone away needs no answer.
                drop(sender.send(durable.and(result)));
            })
        });
        let queue = self.queue.as_ref().ok_or_else(stopped)?;
        queue.send(Job { run, patient }).await.map_err(|_| stopped())?;
        receiver.await.map_err(|_| stopped())?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the store's writer ended with a panic");
        }
    }
}

fn run(mut state: WriterState, mut jobs: mpsc::Receiver<Job>) {
    while let Some(first) = jobs.blocking_recv() {
        let began = Instant::now();
        let mut patient = first.patient;
        let mut answers = vec![(first.run)(&mut state)];
        while answers.len() < GROUP_JOBS_MAX {
            match jobs.try_recv() {
                Ok(job) => {
                    patient &= job.patient;
                    answers.push((job.run)(&mut state));
                }
                Err(mpsc::error::TryRecvError::Empty) if patient && began.elapsed() < GROUP_WINDOW => {
                    thread::sleep(GROUP_POLL);
                }
                Err(_) => break,
            }
        }
        let durable = state.tables.database.persist(PersistMode::SyncAll);
        let reason = durable.err().map(|error| StoreError::from(error).to_string());
        for answer in answers {
            answer(match &reason {
                None => Ok(()),
                Some(reason) => Err(StoreError::Unavailable {
                    reason: reason.clone(),
                }),
            });
        }
    }
}

fn stopped() -> StoreError {
    StoreError::Unavailable {
        reason: "the store's writer has stopped; see the log, then restart the server".to_owned(),
    }
}
