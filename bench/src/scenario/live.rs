//! Hosts that send, viewers that read: latency, processor time, memory.

use std::{sync::atomic::Ordering, time::Duration};

use tokio::{task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{ScenarioError, delivery::write_cost_us, subject::Subject};
use crate::{
    context::Context,
    load::{FleetLoad, Latencies, VIEWER_INDEX, watch},
    peer::Peer,
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

/// What is measured at any number of hosts.
const CPU_PER_SAMPLE: &str = "server CPU per sample, its deliveries and the store's write included";

/// Size of a live run.
#[derive(Debug, Clone, Copy)]
struct LivePlan {
    hosts: usize,
    stalled: usize,
    duration: Duration,
}

/// What a live run found.
struct LiveResult {
    name: String,
    seen: Latencies,
    cpu_seconds: f64,
    samples: u64,
    lost: u64,
    late: u64,
    broken: u64,
    resident_bytes: u64,
}

/// The live path at 1,000 hosts, beside the peers'.
///
/// # Errors
/// When the server or the load fails.
pub async fn live(context: &Context) -> Result<Vec<Figure>, ScenarioError> {
    let plan = LivePlan {
        hosts: 1_000,
        stalled: 0,
        duration: MEASURED,
    };
    let mut ours = run(Subject::ours(context).await?, plan).await?;
    let mut p99 = ours.p99(20.0);
    let mut middle = ours.middle();
    let mut cpu = Figure::at_most(CPU_PER_SAMPLE, ours.cpu_us_per_sample(), 30.0, "µs");
    let mut memory = Figure::at_most("server memory (RSS)", ours.mib(), 60.0, "MiB");
    for peer in Peer::ALL {
        let mut theirs = run(Subject::peer(context, peer).await?, plan).await?;
        let name = theirs.name.clone();
        p99 = p99.beside(&name, f64::from(theirs.seen.quantile_ms(0.99)), "ms");
        middle = middle.against(format!("{name}: {}", theirs.middle().value));
        cpu = cpu.beside(&name, theirs.cpu_us_per_sample(), "µs");
        memory = memory.beside(&name, theirs.mib(), "MiB");
    }
    let writes = write_cost_us().await? * VIEWERS as f64;
    cpu = cpu.beside("four writes of 300 bytes to loopback sockets alone", writes, "µs");
    Ok(vec![p99, middle, ours.counts(), cpu, memory])
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
    let mut result = run(Subject::ours(context).await?, plan).await?;
    Ok(vec![
        result.p99(100.0),
        result.middle(),
        result.counts(),
        Figure::number(CPU_PER_SAMPLE, result.cpu_us_per_sample(), "µs"),
        Figure::number("server memory (RSS)", result.mib(), "MiB"),
    ])
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
            let result = run(Subject::ours(context).await?, plan).await?;
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

    fn mib(&self) -> f64 {
        self.resident_bytes as f64 / (1 << 20) as f64
    }

    fn p99(&mut self, goal_ms: f64) -> Figure {
        let p99 = f64::from(self.seen.quantile_ms(0.99));
        Figure::at_most("host → viewer p99", p99, goal_ms, "ms")
    }

    fn middle(&mut self) -> Figure {
        let (p50, max) = (self.seen.quantile_ms(0.5), self.seen.quantile_ms(1.0));
        Figure::plain("host → viewer p50 / max", format!("{p50} / {max} ms"))
    }

    fn counts(&self) -> Figure {
        let Self {
            samples,
            lost,
            late,
            broken,
            ..
        } = self;
        Figure::plain(
            "samples sent / lost / late; hosts cut off",
            format!("{samples} / {lost} / {late}; {broken}"),
        )
    }
}

async fn run(subject: Subject, plan: LivePlan) -> Result<LiveResult, ScenarioError> {
    let fleet = subject
        .hosts(plan.hosts, Some(Duration::from_secs(1)), "live")
        .await?;
    let mut silent = Vec::with_capacity(plan.stalled);
    for index in 0..plan.stalled {
        let index = VIEWER_INDEX / 2 + index;
        silent.push(subject.viewer(index).await?);
    }
    let stop = CancellationToken::new();
    let mut viewers = JoinSet::new();
    for index in 0..VIEWERS {
        let socket = subject.viewer(VIEWER_INDEX + index).await?;
        viewers.spawn(watch(socket, WARM_UP, stop.clone()));
    }
    tokio::time::sleep(WARM_UP).await;
    let before = subject.cost()?;
    let sent_before = fleet.counts.sent.load(Ordering::Relaxed);
    tokio::time::sleep_until(Instant::now() + plan.duration).await;
    let after = subject.cost()?;
    let samples = fleet.counts.sent.load(Ordering::Relaxed) - sent_before;
    stop.cancel();
    let mut seen = Latencies::default();
    while let Some(joined) = viewers.join_next().await {
        seen.absorb(joined.unwrap_or_default());
    }
    if seen.closed || seen.rows() == 0 {
        return Err(ScenarioError::Unmeasured {
            reason: format!("a viewer of {} was closed or saw nothing", subject.name()),
        });
    }
    let lost = if subject.acknowledges() {
        settle(&fleet).await
    } else {
        0
    };
    let counts = fleet.stop().await;
    drop(silent);
    let name = subject.name().to_owned();
    subject.close().await;
    Ok(LiveResult {
        name,
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
