//! The end of a rollout: written down on every host, or put back on every host.

use futures_util::{StreamExt as _, stream};

use super::{
    error::Outcome,
    journal::Journal,
    rollout::Rollout,
    state::{Release, State},
    target::chain,
    undo::{drop_kept, undo_all},
};
use crate::{clock::now_unix_ms, plan::Stage, progress::Task};

impl Rollout<'_> {
    /// Puts back every host that was touched, side by side.
    pub(super) async fn roll_back(&self, failures: Vec<String>) -> Outcome {
        let left = stream::iter(self.touched())
            .map(|host| async move {
                let run = self.hosts.get(&host)?.lock().await;
                let task = Task::start(
                    self.progress.as_ref(),
                    host.clone(),
                    "putting back what was there",
                );
                let put_back = async {
                    // It may have been cut off, or be booting.
                    run.target.reconnect().await?;
                    undo_all(&run.target, &run.journal).await
                };
                match put_back.await {
                    Ok(left) if left.is_empty() => {
                        task.done("as it was");
                        None
                    }
                    Ok(left) => {
                        task.failed(&left.join("; "));
                        Some(left)
                    }
                    Err(error) => {
                        task.failed(&chain(&error));
                        let text = error.with_cure(&host);
                        Some(vec![format!("{host}: it could not be put back: {text}")])
                    }
                }
            })
            .buffer_unordered(self.fleet.parallel)
            .filter_map(std::future::ready)
            .concat()
            .await;
        Outcome::RolledBack { failures, left }
    }

    /// Writes down the release on every host that is done, and drops what was kept for a rollback.
    pub(super) async fn commit(&self) {
        stream::iter(&self.hosts)
            .map(|(host, run)| async move {
                if self.failed.lock().await.contains_key(host) {
                    return;
                }
                let mut run = run.lock().await;
                let release = Release {
                    id: self.order.release.clone(),
                    at_unix_ms: now_unix_ms(),
                    by: self.order.owner.who.clone(),
                    desired: self.order.desired.get(host).cloned().unwrap_or_default(),
                };
                run.state.add(release);
                let target = run.target.clone();
                let done = async {
                    // In this order: once the journal is gone nothing refers to the old containers any more.
                    State(&target).write(&run.state).await?;
                    Journal::remove(&target).await?;
                    drop_kept(&target).await
                };
                if let Err(error) = done.await {
                    self.fail(host, error.with_cure(host), &Stage::Clean).await;
                }
            })
            .buffer_unordered(self.fleet.parallel)
            .collect::<()>()
            .await;
    }
}
