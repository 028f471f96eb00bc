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
/// Hosts that come and go before memory is read.
const WARM_UP_HOSTS: usize = 200;
/// Time for buffers of the handshakes to be given back.
const SETTLE: Duration = Duration::from_secs(3);

/// Memory that each connected, silent host costs the server: first its record, kept whether it is there or not, then
/// its connection.
///
/// # Errors
/// When the server or the load fails.
pub async fn idle_sockets(context: &Context) -> Result<Vec<Figure>, ScenarioError> {
    let stage = Stage::open(&context.program("socket-server")).await?;
    FleetLoad::start(plan(&stage, WARM_UP_HOSTS, "idle"))
        .await?
        .stop()
        .await;
    let stage = stage.restart().await?;
    let few_records = settled_bytes(&stage).await?;
    FleetLoad::start(plan(&stage, HOSTS, "idle")).await?.stop().await;
    let stage = stage.restart().await?;
    let all_records = settled_bytes(&stage).await?;
    let fleet = FleetLoad::start(plan(&stage, HOSTS, "idle")).await?;
    tokio::time::sleep(SETTLE).await;
    let connected = stage.server.cost()?.resident_bytes;
    fleet.stop().await;
    stage.close().await;
    let kib =
        |before: u64, after: u64, hosts: usize| after.saturating_sub(before) as f64 / hosts as f64 / 1024.0;
    let socket = kib(all_records, connected, HOSTS);
    let record = kib(few_records, all_records, HOSTS - WARM_UP_HOSTS);
    Ok(vec![
        Figure::at_most(
            "server's user memory (RSS) per idle host socket",
            socket,
            3.5,
            "KiB",
        ),
        Figure::number(
            "server's user memory per known host, connected or not (its record, and what the store keeps of it in memory)",
            record,
            "KiB",
        ),
    ])
}

/// Memory of a server to which some hosts came and went: they paid for pools and code pages.
async fn settled_bytes(stage: &Stage) -> Result<u64, ScenarioError> {
    FleetLoad::start(plan(stage, WARM_UP_HOSTS, "idle"))
        .await?
        .stop()
        .await;
    tokio::time::sleep(SETTLE).await;
    Ok(stage.server.cost()?.resident_bytes)
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
