//! What it costs to put one host's reading before one more viewer.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    time::Duration,
};

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{ScenarioError, Stage};
use crate::{
    context::Context,
    load::{FleetLoad, FleetPlan, Latencies, VIEWER_INDEX, connect_viewer, drain, watch},
    process::thread_cpu_seconds,
    report::Figure,
};

/// Hosts at 1 Hz: each tick of the room finds a backlog of some tens of readings.
const HOSTS: usize = 1_000;
/// Viewers that are added for the second stretch.
const VIEWERS: usize = 200;
/// Each of the two stretches.
const MEASURED: Duration = Duration::from_secs(15);
/// Time for connections and caches to settle.
const WARM_UP: Duration = Duration::from_secs(5);
/// Size and number of the writes of the comparison: a reading as the peers of this field send it, one by one.
const WRITE_BYTES: usize = 300;
const WRITES: usize = 200_000;

/// The difference between a run with one viewer and one with many, by the readings that the many were sent.
///
/// # Errors
/// When the server or the load fails.
pub async fn delivery(context: &Context) -> Result<Vec<Figure>, ScenarioError> {
    let stage = Stage::open(&context.program("socket-server")).await?;
    let fleet = FleetLoad::start(FleetPlan {
        server: stage.server.address,
        api_key: stage.api_key.clone(),
        hosts: HOSTS,
        interval: Some(Duration::from_secs(1)),
        epoch: "delivery".to_owned(),
    })
    .await?;
    let stop = CancellationToken::new();
    let reader = connect_viewer(stage.server.address, &stage.api, VIEWER_INDEX).await?;
    let reader = tokio::spawn(watch(reader, Duration::ZERO, stop.clone()));
    tokio::time::sleep(WARM_UP).await;

    let started = stage.server.cost()?;
    tokio::time::sleep(MEASURED).await;
    let alone = stage.server.cost()?.cpu_seconds - started.cpu_seconds;

    let mut many = JoinSet::new();
    for index in 1..=VIEWERS {
        let socket = connect_viewer(stage.server.address, &stage.api, VIEWER_INDEX + index).await?;
        many.spawn(drain(socket, WARM_UP, MEASURED));
    }
    tokio::time::sleep(WARM_UP).await;
    let started = stage.server.cost()?;
    tokio::time::sleep(MEASURED).await;
    let together = stage.server.cost()?.cpu_seconds - started.cpu_seconds;

    let mut drained = Latencies::default();
    while let Some(joined) = many.join_next().await {
        drained.absorb(joined.unwrap_or_default());
    }
    stop.cancel();
    let read = reader.await.unwrap_or_default();
    fleet.stop().await;
    stage.close().await;
    if drained.closed || read.rows() == 0 || drained.bytes == 0 {
        return Err(ScenarioError::Unmeasured {
            reason: "a viewer was closed or saw nothing".to_owned(),
        });
    }
    // All viewers are sent the same frames, so the reader's rows a byte hold for the others.
    let deliveries = drained.bytes as f64 * read.rows() as f64 / read.bytes as f64;
    let extra = (together - alone).max(0.0);
    let write = write_cost_us().await?;
    Ok(vec![
        Figure::at_most(
            format!("server CPU per delivery (a host's reading to a viewer), {VIEWERS} viewers more"),
            extra * 1e6 / deliveries,
            0.8,
            "µs",
        )
        .beside("a write of 300 bytes to a loopback socket", write, "µs"),
        Figure::number(
            "server CPU per frame to a viewer",
            extra * 1e6 / drained.frames as f64,
            "µs",
        )
        .against(format!(
            "readings in a frame: {:.1}",
            deliveries / drained.frames as f64
        )),
    ])
}

/// Processor time of the writing thread for one small write, as a server pays that sends each reading by itself.
pub(super) async fn write_cost_us() -> std::io::Result<f64> {
    tokio::task::spawn_blocking(write_many)
        .await
        .unwrap_or_else(|error| Err(std::io::Error::other(error)))
}

fn write_many() -> std::io::Result<f64> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut writer = TcpStream::connect(listener.local_addr()?)?;
    writer.set_nodelay(true)?;
    let (mut reader, _) = listener.accept()?;
    let reading = std::thread::spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        while reader.read(&mut buffer).is_ok_and(|read| read > 0) {}
    });
    let started = thread_cpu_seconds()?;
    for _ in 0..WRITES {
        writer.write_all(&[0; WRITE_BYTES])?;
    }
    let spent = thread_cpu_seconds()? - started;
    drop(writer);
    // The reader ends with its socket; a panic there would have nothing to say.
    let _ = reading.join();
    Ok(spent * 1e6 / WRITES as f64)
}
