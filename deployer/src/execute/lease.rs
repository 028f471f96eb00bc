//! What a lock is good for: it is renewed in time, or it is lost and the rollout has to stop.

use std::{
    collections::BTreeMap,
    sync::{Mutex, OnceLock, PoisonError},
    time::Duration,
};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{
    error::HostError,
    lock::{Owner, file, mark},
    target::Target,
};

/// A lease that was not renewed for so long belongs to nobody.
pub(super) const LEASE: Duration = Duration::from_secs(60);
/// How often it is renewed: five times may fail.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(10);

/// The lease on every host, and whether it still holds.
pub struct Lease {
    owner: Owner,
    lost: OnceLock<String>,
    /// Cancelled when the lease is lost.
    ended: CancellationToken,
    renewed: Mutex<BTreeMap<String, Instant>>,
}

impl Lease {
    pub(super) fn new(owner: Owner) -> Self {
        Self {
            owner,
            lost: OnceLock::new(),
            ended: CancellationToken::new(),
            renewed: Mutex::default(),
        }
    }

    pub(super) fn owner(&self) -> &Owner {
        &self.owner
    }

    /// Who has the lock now, as a sentence, once it is lost.
    #[must_use]
    pub fn lost(&self) -> Option<&str> {
        self.lost.get().map(String::as_str)
    }

    /// Comes back when the lease is lost.
    pub async fn ended(&self) {
        self.ended.cancelled().await;
    }

    pub(super) fn was_renewed(&self, host: &str) {
        let mut renewed = self.renewed.lock().unwrap_or_else(PoisonError::into_inner);
        renewed.insert(host.to_owned(), Instant::now());
    }

    fn age(&self, host: &str) -> Duration {
        let renewed = self.renewed.lock().unwrap_or_else(PoisonError::into_inner);
        renewed.get(host).map_or(Duration::MAX, Instant::elapsed)
    }

    /// Before a step: whether the host is still ours to change. One that could not be renewed in time is asked.
    ///
    /// # Errors
    ///
    /// Who has it now, or that the host does not say.
    pub(super) async fn holds(&self, target: &Target) -> Result<(), HostError> {
        if self.lost().is_none() && self.age(target.name()) >= LEASE {
            self.renew(target).await?;
        }
        match self.lost() {
            Some(by) => Err(HostError::LeaseLost { by: by.to_owned() }),
            None => Ok(()),
        }
    }

    /// Renews the lease on a host; what it finds there instead is the end of it.
    ///
    /// # Errors
    ///
    /// When the host does not answer.
    pub(super) async fn renew(&self, target: &Target) -> Result<(), HostError> {
        let (file, asked) = (file(target), Instant::now());
        let command = format!(
            "if grep -qF {} {file} 2>/dev/null; then touch {file}; else echo lost; cat {file} 2>/dev/null; fi; true",
            mark(&self.owner)
        );
        let answer = target.session().exec(&command, b"", HEARTBEAT).await?.text();
        let Some(found) = answer.strip_prefix("lost") else {
            let mut renewed = self.renewed.lock().unwrap_or_else(PoisonError::into_inner);
            renewed.insert(target.name().to_owned(), asked);
            return Ok(());
        };
        // The first loss is the one that is told.
        let _ = self.lost.set(sentence(target.name(), found));
        self.ended.cancel();
        Ok(())
    }
}

/// Whose the lock is, by what is in its file.
fn sentence(host: &str, found: &str) -> String {
    match serde_json::from_str::<Owner>(found.trim()) {
        Ok(owner) => format!(
            "the lock on {host} belongs to {} now, who is rolling out {}",
            owner.who, owner.release
        ),
        Err(_) => format!("the lock on {host} was removed, by `deployer unlock` or `deployer down`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_lock_is_told_with_its_new_owner() {
        let found = r#"{"who":"ann@desk","machine":"desk","process":7,"release":"r2"}"#;
        assert_eq!(
            sentence("node1", &format!("\n{found}\n")),
            "the lock on node1 belongs to ann@desk now, who is rolling out r2"
        );
        assert!(sentence("node1", "\n").contains("was removed"));
    }

    #[test]
    fn a_host_that_was_never_renewed_counts_as_too_old() {
        let lease = Lease::new(Owner::this_process("r1"));
        assert!(lease.age("node1") >= LEASE);
        lease.was_renewed("node1");
        assert!(lease.age("node1") < LEASE);
    }
}
