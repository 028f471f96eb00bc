//! Hosts that send, viewers that read: latency, processor time, memory.

use std::{path::Path, sync::atomic::Ordering, time::Duration};

use tokio::{task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{ScenarioError, Stage};
use crate::{
    load::{FleetLoad, FleetPlan, Latencies, connect_viewer, watch},
    report::Figure,
};

/// Time for connections and caches to settle before the measured stretch.
const WARM_UP: Duration = Duration::from_secs(5);
/// Viewer sockets take source addresses far from the hosts'.
const VIEWER_INDEX: usize = 500_000;

/// Size of a live run.
#[derive(Debug, Clone, Copy)]
pub struct LivePlan {
    /// Hosts at 1 Hz.
    pub hosts: usize,
    /// Viewers that read.
    pub viewers: usize,
    /// The measured stretch.
    pub duration: Duration,
    /// Goal for the 99th percentile from host to viewer, in milliseconds.
    pub p99_goal_ms: f64,
}

/// What a live run found.
struct LiveResult {
    seen: Latencies,
    cpu_seconds: f64,
    samples: u64,
    lost: u64,
    late: u64,
    resident_bytes: u64,
}

/// Runs hosts and viewers and reports the live path's figures.
///
/// # Errors
/// When the server or the load fails.
pub async fn live(program: &Path, plan: LivePlan) -> Result<Vec<Figure>, ScenarioError> {
    let mut result = run(program, plan, 0).await?;
    let (hosts, viewers) = (plan.hosts, plan.viewers);
    let name = |what: &str| format!("{what}, {hosts} hosts at 1 Hz, {viewers} viewers");
    let cpu_us = result.cpu_seconds * 1e6 / result.samples.max(1) as f64;
    let mut figures = vec![
        Figure::at_most(
            name("host → viewer p99"),
            f64::from(result.seen.quantile_ms(0.99)),
            plan.p99_goal_ms,
            "ms",
        ),
        Figure::plain(
            name("host → viewer p50 / max"),
            format!(
                "{} / {} ms",
                result.seen.quantile_ms(0.5),
                result.seen.quantile_ms(1.0)
            ),
        ),
        Figure::plain(
            name("samples sent / lost / late"),
            format!("{} / {} / {}", result.samples, result.lost, result.late),
        ),
    ];
    if hosts == 1_000 {
        figures.push(Figure::at_most(
            name("server CPU per sample, all included"),
            cpu_us,
            30.0,
            "µs",
        ));
        let mib = result.resident_bytes as f64 / (1 << 20) as f64;
        figures.push(Figure::at_most(name("server memory (RSS)"), mib, 60.0, "MiB"));
    } else {
        figures.push(Figure::plain(
            name("server CPU per sample, all included"),
            format!("{cpu_us:.1} µs"),
        ));
    }
    Ok(figures)
}

/// Compares the others' latency with and without viewers that never read.
///
/// # Errors
/// When the server or the load fails.
pub async fn stalled_viewers(program: &Path, plan: LivePlan) -> Result<Vec<Figure>, ScenarioError> {
    let mut without = run(program, plan, 0).await?;
    let mut with = run(program, plan, 100).await?;
    let (before, after) = (without.seen.quantile_ms(0.99).max(1), with.seen.quantile_ms(0.99));
    let ratio = f64::from(after) / f64::from(before);
    Ok(vec![
        Figure::at_most(
            "p99 with 100 viewers that never read, to p99 without",
            ratio,
            1.2,
            "×",
        ),
        Figure::plain("the two p99", format!("{after} ms, {before} ms")),
    ])
}

async fn run(program: &Path, plan: LivePlan, stalled: usize) -> Result<LiveResult, ScenarioError> {
    let stage = Stage::open(program).await?;
    let fleet = FleetLoad::start(FleetPlan {
        server: stage.server.address,
        api_key: stage.api_key.clone(),
        hosts: plan.hosts,
        interval: Some(Duration::from_secs(1)),
        epoch: "live".to_owned(),
    })
    .await?;
    let mut silent = Vec::with_capacity(stalled);
    for index in 0..stalled {
        silent.push(connect_viewer(stage.server.address, &stage.api, VIEWER_INDEX / 2 + index).await?);
    }
    tokio::time::sleep(WARM_UP).await;
    let stop = CancellationToken::new();
    let mut viewers = JoinSet::new();
    for index in 0..plan.viewers {
        let socket = connect_viewer(stage.server.address, &stage.api, VIEWER_INDEX + index).await?;
        viewers.spawn(watch(socket, stop.clone()));
    }
    let before = stage.server.cost()?;
    let sent_before = fleet.counts.sent.load(Ordering::Relaxed);
    let until = Instant::now() + plan.duration;
    tokio::time::sleep_until(until).await;
    let after = stage.server.cost()?;
    let samples = fleet.counts.sent.load(Ordering::Relaxed) - sent_before;
    stop.cancel();
    let mut seen = Latencies::default();
    while let Some(joined) = viewers.join_next().await {
        seen.absorb(joined.unwrap_or_default());
    }
    let lost = settle(&fleet).await;
    let counts = fleet.stop().await;
    drop(silent);
    stage.close().await;
    Ok(LiveResult {
        seen,
        cpu_seconds: after.cpu_seconds - before.cpu_seconds,
        samples,
        lost,
        late: counts.late.load(Ordering::Relaxed),
        resident_bytes: after.resident_bytes,
    })
}

/// Waits until what was sent two seconds ago is acknowledged; says how much is not.
async fn settle(fleet: &FleetLoad) -> u64 {
    let sent = fleet.counts.sent.load(Ordering::Relaxed);
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let missing = sent.saturating_sub(fleet.counts.acknowledged.load(Ordering::Relaxed));
        if missing == 0 || Instant::now() > deadline {
            return missing;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
