//! No sample is lost and none is doubled, whatever fails: seeded runs that need nothing but this checkout.
//! `cargo xtask torture` runs as many as wanted, with full disks and MongoDB too.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use metric_flow_e2e::{
    campaign::Campaign,
    plan::{Ground, Plan},
};

/// A sample of them: `cargo xtask test` has a suite of its own for many.
const RUNS: usize = 6;
/// Runs at once: each is idle most of its time.
const RUNS_AT_ONCE: usize = 6;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_hosts_sent_is_what_the_store_holds_after_any_faults() {
    let without_disks = |seed: &u64| Plan::of_seed(*seed).ground == Ground::Embedded;
    let evidence = tempfile::tempdir().expect("a folder");
    let campaign = Campaign {
        seeds: (0..).filter(without_disks).take(RUNS).collect(),
        at_once: RUNS_AT_ONCE,
        evidence: evidence.path().to_owned(),
    };
    let report = campaign.run(|_| {}).await;
    if !report.failures.is_empty() {
        drop(evidence.keep());
    }
    assert!(report.failures.is_empty(), "{}", report.failures.join("\n\n"));
    assert_eq!(report.passed, RUNS);
    assert!(report.total.held > 0, "{}", report.summary());
}
