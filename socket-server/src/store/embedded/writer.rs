//! The one thread that writes: jobs run one after another, and a group of them shares one fsync.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use fjall::PersistMode;
use tokio::sync::{mpsc, oneshot};

use super::{append::SettledCache, opened::Opened, tables::Tables};
use crate::store::StoreError;

/// Most jobs in a group, so that the first is not kept waiting. What comes during an fsync is the next group: the
/// slower the disk, the larger the groups.
const GROUP_JOBS_MAX: usize = 4_096;

/// Jobs that may wait; a full queue makes callers wait, which holds back the hosts.
const QUEUE_JOBS: usize = 1_024;

/// How long a disk that refused a write is left alone: a try costs one small file.
const REOPEN_EVERY: Duration = Duration::from_millis(500);

/// What jobs work on.
pub(super) struct WriterState {
    pub(super) tables: Arc<Tables>,
    pub(super) settled: SettledCache,
}

impl WriterState {
    fn new(tables: Arc<Tables>) -> Self {
        Self {
            tables,
            settled: SettledCache::default(),
        }
    }
}

type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// Runs a job; without a state it only makes the answer, which then is an error.
type Job = Box<dyn FnOnce(Option<&mut WriterState>) -> Answer + Send>;

/// The way to the thread; when it is dropped, the thread ends after what it has begun.
pub(super) struct Writer {
    queue: Option<mpsc::Sender<Job>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(opened: Arc<Opened>) -> std::io::Result<Self> {
        let (queue, jobs) = mpsc::channel(QUEUE_JOBS);
        let thread = thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || run(&opened, jobs))?;
        Ok(Self {
            queue: Some(queue),
            thread: Some(thread),
        })
    }

    /// Runs a job on the thread; returns when what it wrote is durable, and what it read as well.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut WriterState) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (sender, receiver) = oneshot::channel();
        let job = Box::new(move |state: Option<&mut WriterState>| -> Answer {
            let result = state.map_or_else(|| Err(stopped()), work);
            Box::new(move |durable| {
                // A caller that has gone away needs no answer.
                drop(sender.send(durable.and(result)));
            })
        });
        let queue = self.queue.as_ref().ok_or_else(stopped)?;
        queue.send(job).await.map_err(|_| stopped())?;
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

fn run(opened: &Opened, mut jobs: mpsc::Receiver<Job>) {
    let mut place = opened.tables().map(WriterState::new).map_or_else(
        || Place::Refused("the files are not open".to_owned(), Instant::now()),
        |state| Place::Open(Box::new(state)),
    );
    while let Some(first) = jobs.blocking_recv() {
        place = match place.ready(opened) {
            Place::Open(mut state) => match run_group(&mut state, first, &mut jobs) {
                Ok(()) => Place::Open(state),
                Err(reason) => Place::Refused(reason, Instant::now()),
            },
            Place::Refused(reason, since) => {
                first(None)(Err(StoreError::Unavailable {
                    reason: reason.clone(),
                }));
                Place::Refused(reason, since)
            }
        };
    }
}

/// Where the writer stands.
enum Place {
    Open(Box<WriterState>),
    /// The disk refused a write at that instant, and nothing is written until the files are opened anew.
    Refused(String, Instant),
}

impl Place {
    /// Tries to open the files anew when that is due. What was known of their content is forgotten with them.
    fn ready(self, opened: &Opened) -> Self {
        match self {
            Self::Refused(before, since) if since.elapsed() >= REOPEN_EVERY => match opened.reopen() {
                Ok(tables) => {
                    tracing::info!(%before, "the store's files are open again after a failed write");
                    Self::Open(Box::new(WriterState::new(tables)))
                }
                Err(reason) => Self::Refused(reason, Instant::now()),
            },
            same => same,
        }
    }
}

/// Runs the jobs that are there, makes them durable together and answers them.
///
/// # Errors
/// When the disk refused: all of them were answered with that reason.
fn run_group(state: &mut WriterState, first: Job, jobs: &mut mpsc::Receiver<Job>) -> Result<(), String> {
    let mut answers = vec![first(Some(state))];
    while answers.len() < GROUP_JOBS_MAX
        && let Ok(job) = jobs.try_recv()
    {
        answers.push(job(Some(state)));
    }
    let durable = state.tables.database.persist(PersistMode::SyncAll);
    let durable = durable.map_err(|error| StoreError::from(error).to_string());
    for answer in answers {
        answer(
            durable
                .clone()
                .map_err(|reason| StoreError::Unavailable { reason }),
        );
    }
    durable
}

fn stopped() -> StoreError {
    StoreError::Unavailable {
        reason: "the store's writer has stopped; see the log, then restart the server".to_owned(),
    }
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn after_a_refused_write_the_files_are_opened_anew_and_jobs_run_again() {
        let folder = tempfile::tempdir().expect("makes a folder");
        let opened = Opened::open(folder.path().to_owned()).expect("opens");
        let just_now = Place::Refused("full".to_owned(), Instant::now() + 100 * REOPEN_EVERY);
        assert!(matches!(just_now.ready(&opened), Place::Refused(..)));
        let long_ago = Instant::now()
            .checked_sub(REOPEN_EVERY)
            .expect("a clock that runs");
        let due = Place::Refused("full".to_owned(), long_ago);
        let Place::Open(state) = due.ready(&opened) else {
            unreachable!("the disk takes writes");
        };
        state.tables.meta.insert("a", "1").expect("writes");
        let key = |view: &super::super::view::View| Ok(view.tables.meta.contains_key("a")?);
        assert!(opened.read(key).expect("reads"));
    }
}
