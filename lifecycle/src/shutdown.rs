//! An orderly end: a signal cancels a token, tasks see it and finish, a deadline bounds the wait.

use std::{future::Future, io, time::Duration};

use tokio::task::JoinHandle;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Owns the tasks of a program and tells them when to end.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    token: CancellationToken,
    tasks: TaskTracker,
}

/// How a drain went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drained {
    /// Every task ended by itself.
    Complete,
    /// The deadline passed with this many tasks still running.
    DeadlinePassed {
        /// How many.
        tasks_left: usize,
    },
}

impl Shutdown {
    /// A program that is running and has no tasks yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Tells every task to end. Calling it again changes nothing.
    pub fn begin(&self) {
        self.token.cancel();
    }

    /// Whether the end has begun.
    pub fn has_begun(&self) -> bool {
        self.token.is_cancelled()
    }

    /// Resolves when the end begins.
    pub async fn begun(&self) {
        self.token.cancelled().await;
    }

    /// The token that [`begin`](Self::begin) cancels.
    pub fn token(&self) -> &CancellationToken {
        &self.token
    }

    /// Starts a task that [`drain`](Self::drain) waits for.
    pub fn spawn<F>(&self, task: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.tasks.spawn(task)
    }

    /// A part of the program that can be drained by itself: it ends when the whole does, or before.
    pub fn child(&self) -> Self {
        Self {
            token: self.token.child_token(),
            tasks: TaskTracker::new(),
        }
    }

    /// Begins the end, and waits for every task, at most for `deadline`.
    pub async fn drain(&self, deadline: Duration) -> Drained {
        self.begin();
        self.tasks.close();
        match tokio::time::timeout(deadline, self.tasks.wait()).await {
            Ok(()) => Drained::Complete,
            Err(_) => Drained::DeadlinePassed {
                tasks_left: self.tasks.len(),
            },
        }
    }

    /// Begins the end at SIGTERM or SIGINT.
    ///
    /// # Errors
    /// When the signal handlers cannot be installed.
    pub fn begin_on_signals(&self) -> io::Result<()> {
        let signal = termination()?;
        let token = self.token.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                name = signal => {
                    tracing::info!(signal = name, "ending");
                    token.cancel();
                }
                () = token.cancelled() => {}
            }
        });
        Ok(())
    }
}

#[cfg(unix)]
fn termination() -> io::Result<impl Future<Output = &'static str> + Send> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        }
    })
}

#[cfg(not(unix))]
fn termination() -> io::Result<impl Future<Output = &'static str> + Send> {
    Ok(async move {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        "Ctrl-C"
    })
}

/// A source of reload requests: SIGHUP. On systems without it, one that never fires.
///
/// # Errors
/// When the signal handler cannot be installed.
pub fn reload_requests() -> io::Result<tokio::sync::mpsc::Receiver<()>> {
    // One waiting request is enough: a second reload before the first is served would read the same files.
    let (requests, receiver) = tokio::sync::mpsc::channel(1);
    #[cfg(unix)]
    {
        let mut hangups = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup())?;
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    () = requests.closed() => return,
                    hangup = hangups.recv() => match hangup {
                        Some(()) => drop(requests.try_send(())),
                        None => return,
                    },
                }
            }
        });
    }
    #[cfg(not(unix))]
    drop(requests);
    Ok(receiver)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_drain_waits_for_tasks_that_finish() {
        let shutdown = Shutdown::new();
        let seen = shutdown.clone();
        let task = shutdown.spawn(async move { seen.begun().await });
        assert_eq!(shutdown.drain(Duration::from_secs(60)).await, Drained::Complete);
        assert!(task.is_finished());
    }

    #[tokio::test(start_paused = true)]
    async fn a_drain_gives_up_at_its_deadline() {
        let shutdown = Shutdown::new();
        let stuck = shutdown.spawn(std::future::pending::<()>());
        let drained = shutdown.drain(Duration::from_secs(5)).await;
        assert_eq!(drained, Drained::DeadlinePassed { tasks_left: 1 });
        stuck.abort();
    }

    #[tokio::test]
    async fn a_child_ends_with_its_parent_but_not_the_other_way_round() {
        let parent = Shutdown::new();
        let child = parent.child();
        child.begin();
        assert!(!parent.has_begun());
        let other = parent.child();
        parent.begin();
        assert!(other.has_begun());
    }
}
