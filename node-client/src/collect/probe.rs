//! The size of a file system, also of one that may not answer.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{SyncSender, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

/// How old an answer may be. A file system that has been silent longer is left out: a stale number looks fresh.
const ANSWER_FRESH: Duration = Duration::from_secs(10);

/// Stack of a thread that does nothing but ask.
const STACK_BYTES: usize = 64 << 10;

/// How full a file system is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Usage {
    pub(super) total_bytes: u64,
    pub(super) used_bytes: u64,
}

/// Asks the file system at `path`. This waits for as long as the file system does.
pub(super) fn usage(path: &Path) -> io::Result<Usage> {
    let answer = rustix::fs::statvfs(path)?;
    let bytes = |blocks: u64| blocks.saturating_mul(answer.f_frsize);
    let used = answer.f_blocks.saturating_sub(answer.f_bfree);
    Ok(Usage {
        total_bytes: bytes(answer.f_blocks),
        used_bytes: bytes(used),
    })
}

/// A thread of its own that asks one file system, so that only that thread hangs when the file system does.
///
/// The thread ends when this is dropped and the file system has answered; the kernel offers no way to end it before.
#[derive(Debug)]
pub(super) struct Probe {
    requests: SyncSender<()>,
    answer: Arc<Mutex<Option<(Instant, Usage)>>>,
}

impl Probe {
    /// Starts the thread and asks for the first time.
    pub(super) fn start(path: PathBuf) -> io::Result<Self> {
        let (requests, incoming) = sync_channel(1);
        let answer = Arc::new(Mutex::new(None));
        let answered = Arc::clone(&answer);
        thread::Builder::new()
            .name("file-system".to_owned())
            .stack_size(STACK_BYTES)
            .spawn(move || {
                for () in incoming {
                    let new = usage(&path).ok().map(|usage| (Instant::now(), usage));
                    *answered.lock().unwrap_or_else(PoisonError::into_inner) = new;
                }
            })?;
        let probe = Self { requests, answer };
        probe.ask();
        Ok(probe)
    }

    /// The newest answer, if it is fresh, and asks for the next one.
    pub(super) fn usage(&self) -> Option<Usage> {
        self.ask();
        let answer = *self.answer.lock().unwrap_or_else(PoisonError::into_inner);
        answer
            .filter(|(at, _)| at.elapsed() <= ANSWER_FRESH)
            .map(|(_, usage)| usage)
    }

    /// A full queue means that the question before has no answer yet: one that waits is enough.
    fn ask(&self) {
        let _ = self.requests.try_send(());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_answers_what_a_direct_question_does() {
        let folder = std::env::temp_dir();
        let direct = usage(&folder);
        let Ok(probe) = Probe::start(folder) else { return };
        let deadline = Instant::now() + Duration::from_secs(60);
        let probed = loop {
            match probe.usage() {
                Some(usage) => break Some(usage),
                None if Instant::now() > deadline => break None,
                None => thread::yield_now(),
            }
        };
        assert_eq!(
            probed.map(|usage| usage.total_bytes),
            direct.ok().map(|usage| usage.total_bytes)
        );
    }
}
