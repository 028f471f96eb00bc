//! One rollout per project: a lease on each host, renewed while the rollout runs. The host's own clock says whether it
//! has run out, so clocks may differ.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    error::HostError,
    lease::{HEARTBEAT, LEASE, Lease},
    state::to_text,
    target::{Fleet, Target},
};
use crate::remote::quote;

/// Who holds a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// User and machine.
    pub who: String,
    /// The machine's name alone.
    pub machine: String,
    /// The process on that machine.
    pub process: u32,
    /// The release that it rolls out.
    pub release: String,
}

impl Owner {
    /// This process.
    #[must_use]
    pub fn this_process(release: &str) -> Self {
        let read = |path: &str| {
            std::fs::read_to_string(path)
                .unwrap_or_default()
                .trim()
                .to_owned()
        };
        let machine = read("/proc/sys/kernel/hostname");
        let user = std::env::var("USER").unwrap_or_else(|_| "someone".to_owned());
        Self {
            who: format!("{user}@{machine}"),
            machine,
            process: std::process::id(),
            release: release.to_owned(),
        }
    }

    /// Whether its process has certainly ended: it was one of this machine and is no more.
    fn is_dead(&self) -> bool {
        let here = Self::this_process("").machine;
        self.machine == here && !std::path::Path::new(&format!("/proc/{}", self.process)).exists()
    }
}

/// Why there is no lock.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Somebody else rolls out.
    #[error("{} is rolling out {} since {age} s, by the lock on {host}", owner.who, owner.release)]
    Held {
        /// Where the lock was found.
        host: String,
        /// Whose it is.
        owner: Box<Owner>,
        /// Seconds since it was last renewed.
        age: u64,
    },
    /// The host does not answer.
    #[error("{host}: the lock cannot be taken")]
    Host {
        /// Which.
        host: String,
        /// Why.
        #[source]
        source: HostError,
    },
}

/// The lock of a project on all hosts, renewed until it is released.
pub struct Lock {
    stop: CancellationToken,
    heartbeats: TaskTracker,
    targets: Vec<Target>,
    lease: Arc<Lease>,
}

impl Lock {
    /// Takes the lock on every host, in the order of their names so that two rollouts cannot each hold a half. `say`
    /// hears of a lock that was taken over.
    ///
    /// # Errors
    ///
    /// When somebody else holds it; what was taken is given back.
    pub async fn take(fleet: &Fleet, owner: Owner, say: impl Fn(&str)) -> Result<Self, LockError> {
        let mut lock = Self {
            stop: CancellationToken::new(),
            heartbeats: TaskTracker::new(),
            targets: Vec::new(),
            lease: Arc::new(Lease::new(owner)),
        };
        for target in fleet.targets.values() {
            match acquire(target, lock.lease.owner()).await {
                Ok(None) => {}
                Ok(Some(before)) => {
                    say(&format!(
                        "{}: took over the lock of {}, which is not renewed any more",
                        target.name(),
                        before.who
                    ));
                }
                Err(error) => {
                    lock.release().await;
                    return Err(error);
                }
            }
            lock.lease.was_renewed(target.name());
            lock.targets.push(target.clone());
        }
        for target in lock.targets.clone() {
            let (stop, lease) = (lock.stop.clone(), Arc::clone(&lock.lease));
            lock.heartbeats.spawn(async move {
                while stop
                    .run_until_cancelled(tokio::time::sleep(HEARTBEAT))
                    .await
                    .is_some()
                {
                    if let Err(error) = lease.renew(&target).await {
                        tracing::warn!(host = target.name(), %error, "the lock was not renewed");
                    }
                }
            });
        }
        lock.heartbeats.close();
        Ok(lock)
    }

    /// What the lock is good for.
    #[must_use]
    pub fn lease(&self) -> Arc<Lease> {
        Arc::clone(&self.lease)
    }

    /// Gives the lock back. A host that does not answer keeps it until the lease has run out.
    pub async fn release(self) {
        self.stop.cancel();
        // An open tracker is waited for without end, and one that was never filled is still open.
        self.heartbeats.close();
        self.heartbeats.wait().await;
        for target in &self.targets {
            if let Err(error) = remove(target, self.lease.owner()).await {
                tracing::warn!(host = target.name(), %error, "the lock was not given back");
            }
        }
    }
}

pub(super) fn file(target: &Target) -> String {
    format!("{}/lock.json", target.folder())
}

/// Takes the lock of one host; returns whose it was if it was taken over.
async fn acquire(target: &Target, owner: &Owner) -> Result<Option<Owner>, LockError> {
    let host = || target.name().to_owned();
    let failed = |source| LockError::Host { host: host(), source };
    let content = to_text("lock.json", owner).map_err(failed)?;
    let (folder, file) = (target.folder(), file(target));
    // `set -C` makes the redirection fail when the file exists: one of two wins.
    let command = format!(
        "umask 077; mkdir -p {folder} && if (set -C; cat > {file}) 2>/dev/null; then echo taken; else \
         echo $(( $(date +%s) - $(stat -c %Y {file} 2>/dev/null || date +%s) )); cat {file}; fi"
    );
    let mut before = None;
    // Twice: the second time after an old lock was removed.
    for _ in 0..2 {
        let output = target
            .shell(&command, &content)
            .await
            .map_err(|error| failed(error.into()))?;
        let text = output.text();
        let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
        if first.trim() == "taken" {
            return Ok(before);
        }
        let age: u64 = first.trim().parse().unwrap_or(0);
        let Ok(held_by) = serde_json::from_str::<Owner>(rest) else {
            // A file that nobody finished writing belongs to nobody.
            break_lock(target).await.map_err(failed)?;
            continue;
        };
        if age < LEASE.as_secs() && !held_by.is_dead() {
            return Err(LockError::Held {
                host: host(),
                owner: Box::new(held_by),
                age,
            });
        }
        break_lock(target).await.map_err(failed)?;
        before = Some(held_by);
    }
    Err(failed(HostError::NoEngine {
        reason: "the lock file comes back as soon as it is removed".to_owned(),
    }))
}

/// A word of the file that is ours alone.
pub(super) fn mark(owner: &Owner) -> String {
    quote(&format!(
        "\"process\":{},\"release\":\"{}\"",
        owner.process, owner.release
    ))
}

async fn remove(target: &Target, owner: &Owner) -> Result<(), HostError> {
    let file = file(target);
    let command = format!(
        "grep -qF {} {file} 2>/dev/null && rm -f {file}; true",
        mark(owner)
    );
    target.shell(&command, b"").await?;
    Ok(())
}

/// Removes the lock of a host, whoever holds it.
///
/// # Errors
///
/// When the host does not answer.
pub async fn break_lock(target: &Target) -> Result<(), HostError> {
    target.shell(&format!("rm -f {}", file(target)), b"").await?;
    Ok(())
}
