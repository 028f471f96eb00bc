//! Carrying out a plan under the lock: what `rollout` and `rollback` share.

use std::{collections::BTreeMap, sync::Arc};

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::{
    look::Seen,
    scene::{Scene, Wanted},
};
use crate::{
    clock::now_unix_seconds,
    error::{Exit, Failure},
    execute::{Fleet, Lease, Lock, LockError, Order, Outcome, Owner, Rollout, Sight},
    printer::Printer,
    progress::{self, JsonLines, Progress, Silent},
};

/// How a plan is carried out.
#[derive(Debug, Clone, Default)]
pub(super) struct Manner {
    pub(super) resume: bool,
    pub(super) keep_going: bool,
    pub(super) no_firewall: bool,
    pub(super) json: bool,
    pub(super) quiet: bool,
    /// The release that is gone on with.
    pub(super) release: Option<String>,
    /// An earlier release comes back: `rollback_config` says how.
    pub(super) back: bool,
    /// What was seen right before.
    pub(super) seen: Seen,
}

/// An id that sorts by time: the seconds since 1970, and two random bytes against two rollouts in one second.
pub(super) fn new_release() -> String {
    let seconds = time_text(now_unix_seconds());
    format!("{seconds}-{:04x}", rand::random::<u16>())
}

/// `20260102-030405`, in UTC. Civil date from days: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
pub(super) fn time_text(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!(
        "{year}{month:02}{day:02}-{:02}{:02}{:02}",
        rest / 3600,
        rest / 60 % 60,
        rest % 60
    )
}

/// Takes the lock, looks again under it, and does what is to be done.
pub(super) async fn carry_out(
    scene: &Scene,
    fleet: &Fleet,
    wanted: Wanted,
    manner: Manner,
    printer: &Printer,
) -> Result<Exit, Failure> {
    let release = manner.release.clone().unwrap_or_else(new_release);
    let owner = Owner::this_process(&release);
    let lock = match Lock::take(fleet, owner.clone(), |line| printer.note(line)).await {
        Ok(lock) => lock,
        Err(error @ LockError::Held { .. }) => {
            return Err(Failure::new(error.to_string())
                .exit(Exit::Locked)
                .hint("wait for it; if it is certainly gone, `deployer unlock`"));
        }
        Err(error) => return Err(Failure::because("the lock cannot be taken", &error)),
    };
    let lease = lock.lease();
    let stop = CancellationToken::new();
    let work = locked(
        scene,
        fleet,
        wanted,
        manner,
        printer,
        release,
        owner,
        stop.clone(),
        Arc::clone(&lease),
    );
    let listening = async {
        tokio::select! {
            () = interrupted(printer, &stop) => {}
            () = async { lease.ended().await; stop.cancel() } => std::future::pending().await,
        }
    };
    let outcome = tokio::select! {
        outcome = work => outcome,
        () = listening => Err(Failure::new("stopped in the middle of a step; the lock is given back")
            .exit(Exit::Interrupted)
            .hint("`deployer rollout --resume` goes on, `deployer rollback` puts back what was there before")),
    };
    let outcome = match lease.lost() {
        Some(by) => Err(lost_lock(by, outcome.err())),
        None => outcome,
    };
    lock.release().await;
    outcome
}

/// The end of a rollout whose hosts are not its own any more.
fn lost_lock(by: &str, so_far: Option<Failure>) -> Failure {
    let mut failure =
        Failure::new("stopped: this rollout does not hold its lock any more").exit(Exit::Locked);
    failure.causes.push(by.to_owned());
    failure
        .causes
        .extend(so_far.into_iter().flat_map(|earlier| earlier.causes));
    failure.hint("nothing more was changed, and nothing put back; see `deployer status`, then `deployer rollout --resume` or `deployer rollback`")
}

/// Ctrl-C and SIGTERM ask for an end after the running step; the second one ends it at once, and only then comes this
/// back.
async fn interrupted(printer: &Printer, stop: &CancellationToken) {
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return std::future::pending().await;
    };
    for say in [
        Some("stopping after the running step; once more stops at once"),
        None,
    ] {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        if let Some(say) = say {
            printer.note(say);
        }
        stop.cancel();
    }
}

#[expect(
    clippy::too_many_arguments,
    reason = "one call, right above; a struct would only rename the arguments"
)]
async fn locked(
    scene: &Scene,
    fleet: &Fleet,
    wanted: Wanted,
    manner: Manner,
    printer: &Printer,
    release: String,
    owner: Owner,
    stop: CancellationToken,
    lease: Arc<Lease>,
) -> Result<Exit, Failure> {
    let (sights, plan) = scene
        .look_again(
            fleet,
            &wanted.desired,
            manner.no_firewall,
            manner.resume,
            &manner.seen,
        )
        .await?;
    if !plan.obstacles.is_empty() {
        let mut failure = Failure::new("something stands in the way");
        failure.causes = plan.obstacles;
        return Err(failure.hint("`deployer check` says more; `--no-firewall` leaves the firewall alone"));
    }
    unfinished(&sights, manner.resume)?;
    if !manner.json {
        super::plan::print(&plan, |line| printer.say(line));
    }
    let progress: Arc<dyn Progress> = match (manner.json, manner.quiet) {
        (true, _) => Arc::new(JsonLines::new(Box::new(std::io::stdout()))),
        (false, true) => Arc::new(Silent),
        (false, false) => Arc::from(progress::for_this_terminal(false)),
    };
    let order = Order {
        release: release.clone(),
        owner,
        desired: wanted.desired,
        plan,
        updates: scene
            .project
            .services
            .iter()
            .map(|service| {
                let back = service.rollback.filter(|_| manner.back);
                (service.name.clone(), back.unwrap_or(service.update))
            })
            .collect(),
        images: wanted.images,
        contents: wanted.contents,
        account_file: scene.account_file(),
        keep_going: manner.keep_going,
        verb: if manner.back { "rollback" } else { "rollout" },
        project: scene.project.name.clone(),
        lease,
    };
    let rollout = Rollout::new(fleet, &scene.project, order, sights, progress, stop);
    let outcome = rollout
        .run()
        .await
        .map_err(|error| Failure::because("the rollout could not begin", &error))?;
    ended(outcome, &release, printer)
}

/// A rollout that was cut off has to be gone on with or put back, not built upon unawares.
fn unfinished(sights: &BTreeMap<String, Sight>, resume: bool) -> Result<(), Failure> {
    let cut_off = sights
        .iter()
        .find_map(|(host, sight)| Some((host, sight.journal.as_ref()?)));
    match cut_off {
        Some((host, journal)) if !resume => Err(Failure::new(format!(
            "release {} of {} was cut off on {host}",
            journal.release, journal.by
        ))
        .hint("`deployer rollout --resume` goes on with it, `deployer rollback` puts back what was there before")),
        _ => Ok(()),
    }
}

fn ended(outcome: Outcome, release: &str, printer: &Printer) -> Result<Exit, Failure> {
    let with = |message: &str, causes: Vec<String>| {
        let mut failure = Failure::new(message);
        failure.causes = causes;
        failure
    };
    match outcome {
        Outcome::Done => {
            printer.say(&format!("release {release} is in place"));
            Ok(Exit::Done)
        }
        Outcome::Partly { failures } => Err(with("the rollout is done, but not on every host", failures)
            .hint("`deployer rollout --resume` does what is left")),
        Outcome::Paused { failures } => Err(with("the rollout has stopped where it failed", failures).hint(
            "`deployer rollout --resume` goes on, `deployer rollback` puts back what was there before",
        )),
        Outcome::RolledBack { failures, left } if left.is_empty() => Err(with(
            "the rollout failed, and every host is as it was before",
            failures,
        )
        .exit(Exit::RolledBack)),
        Outcome::RolledBack { failures, left } => {
            let mut failure = with(
                "the rollout failed, and not everything could be put back",
                failures,
            );
            failure.causes.extend(left);
            Err(failure.hint("`deployer rollback` tries again"))
        }
        Outcome::Stopped { failures } => Err(with(
            "stopped; what was begun is finished, and the lock is given back",
            failures,
        )
        .exit(Exit::Interrupted)
        .hint("`deployer rollout --resume` goes on, `deployer rollback` puts back what was there before")),
    }
}

#[cfg(test)]
mod tests {
    use super::time_text;

    #[test]
    fn the_time_in_a_release_is_that_of_utc() {
        assert_eq!(time_text(0), "19700101-000000");
        assert_eq!(time_text(951_782_400), "20000229-000000");
        assert_eq!(time_text(1_700_000_000), "20231114-221320");
    }
}
