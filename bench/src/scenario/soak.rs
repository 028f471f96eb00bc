//! The server's memory over a long run.

use std::time::Duration;

use tokio::{task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{ScenarioError, Stage, live::VIEWERS};
use crate::{
    context::Context,
    load::{Dialect, FleetLoad, FleetPlan, VIEWER_INDEX, connect_viewer, watch},
    report::Figure,
};

/// Hosts at 1 Hz.
const HOSTS: usize = 1_000;
/// How often memory is looked at.
const LOOK: Duration = Duration::from_secs(5);

/// Runs the live load for as long as asked for and looks at the memory.
///
/// # Errors
/// When the server or the load fails.
pub async fn soak(context: &Context) -> Result<Vec<Figure>, ScenarioError> {
    let minutes = context.soak.as_secs() / 60;
    context.say(format_args!("{minutes} minutes"));
    let stage = Stage::open(&context.program("socket-server")).await?;
    let fleet = FleetLoad::start(FleetPlan {
        server: stage.server.address,
        api_key: stage.api_key.clone(),
        hosts: HOSTS,
        interval: Some(Duration::from_secs(1)),
        epoch: "soak".to_owned(),
        dialect: Dialect::Plain,
    })
    .await?;
    let stop = CancellationToken::new();
    let mut viewers = JoinSet::new();
    for index in 0..VIEWERS {
        let socket = connect_viewer(stage.server.address, &stage.api, VIEWER_INDEX + index).await?;
        viewers.spawn(watch(socket, Duration::ZERO, stop.clone()));
    }
    let started = Instant::now();
    let mut resident = Vec::new();
    while started.elapsed() < context.soak {
        tokio::time::sleep(LOOK).await;
        resident.push(stage.server.cost()?.resident_bytes as f64 / (1 << 20) as f64);
    }
    stop.cancel();
    while viewers.join_next().await.is_some() {}
    fleet.stop().await;
    stage.close().await;
    // The first half fills caches and write buffers.
    let half = &resident[resident.len() / 2..];
    let quarter = half.len() / 2;
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
    let (third, fourth) = (mean(&half[..quarter]), mean(&half[quarter..]));
    let highest = resident.iter().copied().fold(0.0, f64::max);
    Ok(vec![
        Figure::at_most(
            format!("highest memory (RSS) in {minutes} minutes"),
            highest,
            150.0,
            "MiB",
        ),
        Figure::at_most(
            "memory of the last quarter, to that of the third",
            fourth / third.max(1.0),
            1.05,
            "×",
        )
        .against(format!("{third:.1} MiB, then {fourth:.1} MiB")),
    ])
}
