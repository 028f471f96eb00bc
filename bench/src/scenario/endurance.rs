//! A node-client's memory over 100,000 samples and 1,000 reconnects, in time that runs faster.

use std::{path::PathBuf, sync::atomic::Ordering, time::Duration};

use tempfile::TempDir;
use tokio::{process::Command, time::Instant};

use super::{ScenarioError, Stage, node};
use crate::{
    context::{Context, tail},
    load::Relay,
    process::cost_of,
    report::Figure,
};

/// How much faster the client's clock runs, by Debian's package faketime.
const FASTER: u32 = 60;
/// Distance of two samples in the client's time: the shortest that it allows.
const INTERVAL_MS: u64 = 100;
/// How long the relay lets a connection live, in the client's time: a shorter one counts as a failure, after which
/// the client waits longer and longer.
const CONNECTION_LIFE: Duration = Duration::from_millis(10_500);
/// The run ends with both of these, or with the deadline.
const RECONNECTS: u64 = 1_000;
const SAMPLES: u64 = 100_000;
const DEADLINE: Duration = Duration::from_secs(400);
/// Connections after which caches and pools have their size.
const WARM_UP_CONNECTIONS: u64 = 100;
/// How often its memory is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// Compares the memory at the start and at the end.
///
/// # Errors
/// When a program fails, or the run is too slow to be one.
pub async fn endurance(context: &Context) -> Result<Vec<Figure>, ScenarioError> {
    let stage = Stage::open(&context.program("socket-server")).await?;
    let relay = Relay::start(stage.server.address, Some(CONNECTION_LIFE / FASTER)).await?;
    let folder = TempDir::new()?;
    let mut hurried = Command::new(context.program("node-client"));
    // Set here instead of by the program `faketime`, which would stay between us and the client.
    hurried
        .env("LD_PRELOAD", library()?)
        .env("FAKETIME", format!("+0 x{FASTER}"));
    let mut client = node::start(hurried, relay.address, &stage.api_key, folder.path(), INTERVAL_MS)?;
    let pid = client.id().unwrap_or(0);
    let started = Instant::now();
    let (mut early, mut late) = (Vec::new(), Vec::new());
    let (mut connections, mut samples) = (0, 0);
    while (connections <= RECONNECTS || samples < SAMPLES) && started.elapsed() < DEADLINE {
        tokio::time::sleep(LOOK).await;
        connections = relay.counts.connections.load(Ordering::Relaxed);
        samples = stage.api.metric("metric_flow_samples_received_total").await? as u64;
        let resident = cost_of(pid)?.resident_bytes as f64 / (1 << 20) as f64;
        match connections {
            count if count < WARM_UP_CONNECTIONS => {}
            count if count < 2 * WARM_UP_CONNECTIONS => early.push(resident),
            count if count + WARM_UP_CONNECTIONS > RECONNECTS => late.push(resident),
            _ => {}
        }
    }
    client.kill().await?;
    relay.stop().await;
    stage.close().await;
    if early.is_empty() || late.is_empty() {
        let log = std::fs::read(folder.path().join("log")).unwrap_or_default();
        return Err(ScenarioError::Unmeasured {
            reason: format!(
                "only {connections} connections in {} s; the client's log ends with: {}",
                DEADLINE.as_secs(),
                tail(&log)
            ),
        });
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (first, last) = (mean(&early), mean(&late));
    Ok(vec![
        Figure::at_most(
            "memory (RSS) at the end, to that after 100 reconnects",
            last / first,
            1.05,
            "×",
        )
        .against(format!("{first:.2} MiB, then {last:.2} MiB")),
        Figure::at_least(
            "reconnects",
            connections.saturating_sub(1) as f64,
            RECONNECTS as f64,
            "",
        ),
        Figure::at_least(
            "samples that the server received",
            samples as f64,
            SAMPLES as f64,
            "",
        ),
    ])
}

/// The library of the package faketime, for programs with several threads.
fn library() -> Result<PathBuf, ScenarioError> {
    ["/usr/lib", "/usr/lib64"]
        .iter()
        .flat_map(|folder| std::fs::read_dir(folder).into_iter().flatten().flatten())
        .map(|entry| entry.path().join("faketime/libfaketimeMT.so.1"))
        .chain([PathBuf::from("/usr/lib64/faketime/libfaketimeMT.so.1")])
        .find(|path| path.exists())
        .ok_or(ScenarioError::Missing {
            scenario: "endurance",
            program: "libfaketimeMT.so.1",
            groups: "bench".to_owned(),
        })
}
