//! A node-client's memory while it samples as fast as it can and is cut off again and again.

use std::{sync::atomic::Ordering, time::Duration};

use tempfile::TempDir;
use tokio::{process::Command, time::Instant};

use super::{ScenarioError, Stage, node};
use crate::{
    context::{Context, tail},
    load::Relay,
    process::cost_of,
    report::Figure,
};

/// The client's `--hurry`: its shortest interval and the times of reconnecting are a tenth.
const HURRY: u32 = 10;
/// Distance of two samples: the shortest that it then allows.
const INTERVAL_MS: u64 = 10;
/// How long the relay lets a connection live: one shorter than the client's ten seconds, a tenth here, counts as a
/// failure, after which it waits longer and longer.
const CONNECTION_LIFE: Duration = Duration::from_millis(1_050);
/// Samples for each reconnect: 100,000 for 1,000.
const SAMPLES_PER_RECONNECT: u64 = 100;
/// Longest time for one reconnect, on the average: the machine may be busy, and the run ends anyhow.
const RECONNECT_DEADLINE: Duration = Duration::from_millis(1_500);
/// Fewest reconnects that say something: the first tenth is for caches and pools to get their size.
const RECONNECTS_MIN: u64 = 50;
/// How often its memory is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// Compares the memory early, in the middle and at the end.
///
/// # Errors
/// When a program fails, or the run is too slow to be one.
pub async fn endurance(context: &Context) -> Result<Vec<Figure>, ScenarioError> {
    let reconnects = context.endurance_reconnects.max(RECONNECTS_MIN);
    let samples_wanted = reconnects * SAMPLES_PER_RECONNECT;
    let deadline = RECONNECT_DEADLINE * u32::try_from(reconnects).unwrap_or(u32::MAX);
    let stage = Stage::open(&context.program("socket-server")).await?;
    let relay = Relay::start(stage.server.address, Some(CONNECTION_LIFE)).await?;
    let folder = TempDir::new()?;
    let hurried = Command::new(context.program("node-client"));
    let mut client = node::start(
        hurried,
        relay.address,
        &stage.api_key,
        folder.path(),
        INTERVAL_MS,
        HURRY,
    )?;
    let pid = client.id().unwrap_or(0);
    let started = Instant::now();
    let mut memory = Vec::new();
    let (mut connections, mut samples) = (0, 0);
    while (connections <= reconnects || samples < samples_wanted) && started.elapsed() < deadline {
        tokio::time::sleep(LOOK).await;
        connections = relay.counts.connections.load(Ordering::Relaxed);
        samples = stage.api.metric("metric_flow_samples_received_total").await? as u64;
        memory.push(Look {
            reconnects: connections.saturating_sub(1),
            mib: cost_of(pid)?.resident_bytes as f64 / (1 << 20) as f64,
        });
    }
    client.kill().await?;
    relay.stop().await;
    stage.close().await;
    let reached = connections.saturating_sub(1);
    // A tenth of the reconnects each: after the first tenth, in the middle, at the end.
    let tenth = reached / 10;
    let windows =
        [tenth, reached / 2 - tenth / 2, reached - tenth].map(|from| mean(&memory, from, from + tenth));
    let [Some(early), Some(middle), Some(late)] = windows else {
        let log = std::fs::read(folder.path().join("log")).unwrap_or_default();
        return Err(ScenarioError::Unmeasured {
            reason: format!(
                "only {reached} reconnects in {} s; the client's log ends with: {}",
                deadline.as_secs(),
                tail(&log)
            ),
        });
    };
    Ok(vec![
        Figure::at_most(
            "memory (RSS) at the end, to that after a tenth of the reconnects",
            late / early,
            1.05,
            "×",
        )
        .against(format!(
            "{early:.2} MiB, {middle:.2} MiB in the middle, {late:.2} MiB at the end"
        )),
        Figure::at_least("reconnects", reached as f64, reconnects as f64, ""),
        Figure::at_least(
            "samples that the server received",
            samples as f64,
            samples_wanted as f64,
            "",
        ),
    ])
}

/// The client's memory at a moment.
struct Look {
    reconnects: u64,
    mib: f64,
}

/// Mean memory over a range of reconnects; nothing when it was never looked at then.
fn mean(memory: &[Look], from: u64, to: u64) -> Option<f64> {
    let values: Vec<f64> = memory
        .iter()
        .filter(|look| (from..=to).contains(&look.reconnects))
        .map(|look| look.mib)
        .collect();
    (!values.is_empty() && to > from).then(|| values.iter().sum::<f64>() / values.len() as f64)
}
