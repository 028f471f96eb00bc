//! Hosts that send, viewers that read: latency, processor time, memory.

use std::{sync::atomic::Ordering, time::Duration};

use tokio::{task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{ScenarioError, Stage, delivery::write_cost_us};
use crate::{
    context::Context,
    load::{FleetLoad, FleetPlan, Latencies, VIEWER_INDEX, connect_viewer, watch},
    report::Figure,
};

/// Time for connections and caches to settle before the measured stretch.
const WARM_UP: Duration = Duration::from_secs(5);
/// Viewers that read, in every scenario of this file.
pub(super) const VIEWERS: usize = 4;
/// Viewers that never read.
const STALLED: usize = 100;
/// The measured stretch of a run.
pub(super) const MEASURED: Duration = Duration::from_secs(30);
/// A part of the comparison with and without stalled viewers; each is run twice, in turn.
const MEASURED_PART: Duration = Duration::from_secs(15);

/// Size of a live run.
#[derive(Debug, Clone, Copy)]
struct LivePlan {
    hosts: usize,
    stalled: usize,
    duration: Duration,
}

/// What a live run found.
struct LiveResult {
    seen: Latencies,
    cpu_seconds: f64,
    samples: u64,
    lost: u64,
    late: u64,
    broken: u64,
    resident_bytes: u64,
}

/// The live path at 1,000 hosts.
///
/// # Errors
/// When the server or the load fails.
pub async fn live(context: &Context) -> Result<Vec<Figure>, ScenarioError> {
    let plan = LivePlan {
        hosts: 1_000,
        stalled: 0,
        duration: MEASURED,
    };
    let result = run(context, plan).await?;
    let cpu = result.cpu_us_per_sample();
    let mib = result.resident_bytes as f64 / (1 << 20) as f64;
    let mut figures = latency_figures(result, 20.0);
    let writes = write_cost_us().await? * VIEWERS as f64;
    figures.push(
        Figure::at_most(
            "server CPU per sample, its deliveries and the store's write included",
            cpu,
            30.0,
            "µs",
        )
        .beside("four writes of 300 bytes to loopback sockets alone", writes, "µs"),
    );
    figures.push(Figure::at_most("server memory (RSS)", mib, 60.0, "MiB"));
    Ok(figures)
}

/// The live path at 10,000 hosts.
///
/// # Errors
/// When the server or the load fails.
pub async fn live_large(context: &Context) -> Result<Vec<Figure>, ScenarioError> {
    let plan = LivePlan {
        hosts: 10_000,
        stalled: 0,
        duration: MEASURED,
    };
    let result = run(context, plan).await?;
    let cpu = result.cpu_us_per_sample();
    let mib = result.resident_bytes as f64 / (1 << 20) as f64;
    let mut figures = latency_figures(result, 100.0);
    figures.push(Figure::number(
        "server CPU per sample, its deliveries and the store's write included",
        cpu,
        "µs",
    ));
    figures.push(Figure::number("server memory (RSS)", mib, "MiB"));
    Ok(figures)
}

/// Compares the others' latency with and without viewers that never read.
///
/// # Errors
/// When the server or the load fails.
pub async fn stalled_viewers(context: &Context) -> Result<Vec<Figure>, ScenarioError> {
    let (mut without, mut with) = (Latencies::default(), Latencies::default());
    for round in 1..=2 {
        for stalled in [0, STALLED] {
            context.say(format_args!("round {round}, {stalled} viewers that never read"));
            let plan = LivePlan {
                hosts: 1_000,
                stalled,
                duration: MEASURED_PART,
            };
            let result = run(context, plan).await?;
            if stalled == 0 { &mut without } else { &mut with }.absorb(result.seen);
        }
    }
    let (before, after) = (without.quantile_ms(0.99).max(1), with.quantile_ms(0.99));
    let ratio = f64::from(after) / f64::from(before);
    let middle = |seen: &mut Latencies| format!("{} / {}", seen.quantile_ms(0.5), seen.quantile_ms(1.0));
    Ok(vec![
        Figure::at_most(
            "others' p99 with 100 viewers that never read, to that without",
            ratio,
            1.2,
            "×",
        )
        .against(format!("p99 without: {before} ms, with: {after} ms")),
        Figure::plain("others' p50 / max with them", format!("{} ms", middle(&mut with)))
            .against(format!("without: {} ms", middle(&mut without))),
    ])
}

impl LiveResult {
    fn cpu_us_per_sample(&self) -> f64 {
        self.cpu_seconds * 1e6 / self.samples.max(1) as f64
    }
}

fn latency_figures(mut result: LiveResult, p99_goal_ms: f64) -> Vec<Figure> {
    let seen = &mut result.seen;
    vec![
        Figure::at_most(
            "host → viewer p99",
            f64::from(seen.quantile_ms(0.99)),
            p99_goal_ms,
            "ms",
        ),
        Figure::plain(
            "host → viewer p50 / max",
            format!("{} / {} ms", seen.quantile_ms(0.5), seen.quantile_ms(1.0)),
        ),
        Figure::plain(
            "samples sent / lost / late; hosts cut off",
            format!(
                "{} / {} / {}; {}",
                result.samples, result.lost, result.late, result.broken
            ),
        ),
    ]
}

async fn run(context: &Context, plan: LivePlan) -> Result<LiveResult, ScenarioError> {
    let stage = Stage::open(&context.program("socket-server")).await?;
    let fleet = FleetLoad::start(FleetPlan {
        server: stage.server.address,
        api_key: stage.api_key.clone(),
        hosts: plan.hosts,
        interval: Some(Duration::from_secs(1)),
        epoch: "live".to_owned(),
    })
    .await?;
    let mut silent = Vec::with_capacity(plan.stalled);
    for index in 0..plan.stalled {
        let index = VIEWER_INDEX / 2 + index;
        silent.push(connect_viewer(stage.server.address, &stage.api, index).await?);
    }
    let stop = CancellationToken::new();
    let mut viewers = JoinSet::new();
    for index in 0..VIEWERS {
        let socket = connect_viewer(stage.server.address, &stage.api, VIEWER_INDEX + index).await?;
        viewers.spawn(watch(socket, WARM_UP, stop.clone()));
    }
    tokio::time::sleep(WARM_UP).await;
    let before = stage.server.cost()?;
    let sent_before = fleet.counts.sent.load(Ordering::Relaxed);
    tokio::time::sleep_until(Instant::now() + plan.duration).await;
    let after = stage.server.cost()?;
    let samples = fleet.counts.sent.load(Ordering::Relaxed) - sent_before;
    stop.cancel();
    let mut seen = Latencies::default();
    while let Some(joined) = viewers.join_next().await {
        seen.absorb(joined.unwrap_or_default());
    }
    if seen.closed {
        return Err(ScenarioError::Unmeasured {
            reason: "the server closed a viewer that reads".to_owned(),
        });
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
        broken: counts.broken.load(Ordering::Relaxed),
        resident_bytes: after.resident_bytes,
    })
}

/// Waits until what was sent so far is acknowledged; says how much is not after ten seconds.
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
