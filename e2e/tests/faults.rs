//! No sample is lost and none is doubled, whatever fails: seeded runs on real programs.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use metric_flow_e2e::{cluster::Template, torture};
use tokio::{sync::Semaphore, task::JoinSet};

/// Seeded runs in the test command; `METRIC_FLOW_FAULT_RUNS` asks for more.
const RUNS: u64 = 40;
/// Runs at once: each is idle most of its time.
const RUNS_AT_ONCE: usize = 6;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_hosts_took_is_what_the_store_holds_after_any_faults() {
    let runs = std::env::var("METRIC_FLOW_FAULT_RUNS").map_or(RUNS, |text| {
        text.parse().expect("METRIC_FLOW_FAULT_RUNS is a number")
    });
    let template = Arc::new(Template::make().await.expect("a server that can be set up"));
    let places = Arc::new(Semaphore::new(RUNS_AT_ONCE));
    let mut running = JoinSet::new();
    for seed in 0..runs {
        let (template, places) = (Arc::clone(&template), Arc::clone(&places));
        running.spawn(async move {
            let _place = places.acquire_owned().await;
            torture::run(&template, seed).await
        });
    }
    let (mut failures, mut samples) = (Vec::new(), 0);
    while let Some(ended) = running.join_next().await {
        match ended.expect("a run that ends") {
            Ok(outcome) => samples += outcome.samples,
            Err(failure) => failures.push(failure),
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {runs} runs failed:\n{}",
        failures.len(),
        failures.join("\n\n")
    );
    assert!(
        samples > runs,
        "{samples} samples in {runs} runs: hosts took none"
    );
}
