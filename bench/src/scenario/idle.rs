//! Many hosts that only stay connected, and all of them coming back at once.

use std::time::Duration;

use tokio::time::Instant;

use super::{ScenarioError, Stage};
use crate::{
    context::Context,
    load::{FleetLoad, FleetPlan},
    report::Figure,
};

/// Hosts of both scenarios: below the limit of 20,000 descriptors of a process, both ends counted apart.
const HOSTS: usize = 9_000;
/// Time for buffers of the handshakes to be given back.
const SETTLE: Duration = Duration::from_secs(3);

/// Memory that each connected, silent host costs the server.
///
/// # Errors
/// When the server or the load fails.
pub async fn idle_sockets(context: &Context) -> Result<Vec<Figure>, ScenarioError> {
    let stage = Stage::open(&context.program("socket-server")).await?;
    // The first hosts pay for pools and code pages.
    let warm = FleetLoad::start(plan(&stage, 200, "warm")).await?;
    warm.stop().await;
    tokio::time::sleep(SETTLE).await;
    let before = stage.server.cost()?;
    let fleet = FleetLoad::start(plan(&stage, HOSTS, "idle")).await?;
    tokio::time::sleep(SETTLE).await;
    let after = stage.server.cost()?;
    fleet.stop().await;
    stage.close().await;
    let bytes = after.resident_bytes.saturating_sub(before.resident_bytes) as f64 / HOSTS as f64;
    Ok(vec![Figure::at_most(
        "server's user memory (RSS) per idle host socket, host record included",
        bytes / 1024.0,
        3.5,
        "KiB",
    )])
}

/// Time until all hosts are back after the server was killed and started again.
///
/// # Errors
/// When the server or the load fails.
pub async fn reconnect(context: &Context) -> Result<Vec<Figure>, ScenarioError> {
    let stage = Stage::open(&context.program("socket-server")).await?;
    FleetLoad::start(plan(&stage, HOSTS, "again")).await?.stop().await;
    let stage = stage.restart().await?;
    let start = Instant::now();
    let fleet = FleetLoad::start(plan(&stage, HOSTS, "again")).await?;
    let seconds = start.elapsed().as_secs_f64();
    fleet.stop().await;
    stage.close().await;
    Ok(vec![Figure::at_most(
        "until the last of 9,000 hosts is greeted again",
        seconds,
        5.0,
        "s",
    )])
}

fn plan(stage: &Stage, hosts: usize, epoch: &str) -> FleetPlan {
    FleetPlan {
        server: stage.server.address,
        api_key: stage.api_key.clone(),
        hosts,
        interval: None,
        epoch: epoch.to_owned(),
    }
}
