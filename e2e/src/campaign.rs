//! Many runs: several at once, with progress, and totals at the end.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    sync::Semaphore,
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};

use crate::{
    ledger::Total,
    plan::{Ground, Plan},
    template::Templates,
    torture,
};

/// How often a long campaign says how far it is.
const PROGRESS_EVERY: Duration = Duration::from_secs(15);

/// Which seeds to run, and how.
#[derive(Debug, Clone)]
pub struct Campaign {
    /// The seeds.
    pub seeds: Vec<u64>,
    /// Runs at once: each is idle most of its time.
    pub at_once: usize,
    /// Where the files of failed runs go.
    pub evidence: PathBuf,
}

/// What a campaign came to.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Runs that passed.
    pub passed: usize,
    /// The messages of those that did not.
    pub failures: Vec<String>,
    /// What the ledgers of the passed runs add up to.
    pub total: Total,
    /// Runs on each ground.
    pub grounds: BTreeMap<Ground, usize>,
}

impl Campaign {
    /// Runs all seeds; `say` takes a line now and then.
    pub async fn run(self, mut say: impl FnMut(&str)) -> Report {
        let began = Instant::now();
        let templates = Arc::new(Templates::default());
        let places = Arc::new(Semaphore::new(self.at_once));
        let runs = self.seeds.len();
        let mut running = JoinSet::new();
        for seed in self.seeds {
            let (templates, places, evidence) =
                (Arc::clone(&templates), Arc::clone(&places), self.evidence.clone());
            running.spawn(async move {
                let _place = places.acquire_owned().await;
                let plan = Plan::of_seed(seed);
                (plan.ground, torture::run(&templates, &plan, &evidence).await)
            });
        }
        let mut report = Report::default();
        let mut ticks = interval(PROGRESS_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.tick().await;
        loop {
            tokio::select! {
                ended = running.join_next() => match ended {
                    None => break,
                    Some(ended) => {
                        if let Some(failure) = report.take(ended.map_err(|error| error.to_string())) {
                            say(&failure);
                        }
                    }
                },
                _ = ticks.tick() => {
                    let (done, failed) = (report.runs(), report.failures.len());
                    let seconds = began.elapsed().as_secs();
                    say(&format!("{seconds} s: {done} of {runs} runs, {failed} failed, {} samples", report.total.held));
                }
            }
        }
        report
    }
}

impl Report {
    /// Runs that have ended.
    pub fn runs(&self) -> usize {
        self.passed + self.failures.len()
    }

    /// The line of totals.
    pub fn summary(&self) -> String {
        let grounds: Vec<String> = self
            .grounds
            .iter()
            .map(|(ground, runs)| format!("{runs} {ground:?}"))
            .collect();
        let Total { sent, held, reported } = self.total;
        format!(
            "{} runs ({}): {sent} samples sent, {held} in the stores, each once; {reported} numbers reported as lost \
             where a client was killed on a full disk; {} runs failed",
            self.runs(),
            grounds.join(", "),
            self.failures.len()
        )
    }

    /// Counts a run; returns the message of a failed one.
    fn take(&mut self, ended: Result<(Ground, Result<Total, String>), String>) -> Option<String> {
        let failure = match ended {
            Ok((ground, result)) => {
                *self.grounds.entry(ground).or_default() += 1;
                match result {
                    Ok(total) => {
                        self.passed += 1;
                        self.total += total;
                        return None;
                    }
                    Err(failure) => failure,
                }
            }
            Err(error) => format!("a run ended early: {error}"),
        };
        self.failures.push(failure.clone());
        Some(failure)
    }
}
