//! What it costs to put one host's reading before one more viewer.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    time::Duration,
};

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{ScenarioError, subject::Subject};
use crate::{
    context::Context,
    load::{Latencies, VIEWER_INDEX, drain, watch},
    peer::Peer,
    process::thread_cpu_seconds,
    report::Figure,
};

/// Hosts at 1 Hz: each tick of the room finds a backlog of some tens of readings.
const HOSTS: usize = 1_000;
/// Viewers that are added for the second stretch.
const VIEWERS: usize = 200;
/// As many at a peer: it writes each reading by itself, and more than these would ask for more than one processor.
const PEER_VIEWERS: usize = 40;
/// Each of the two stretches.
const MEASURED: Duration = Duration::from_secs(15);
/// Time for connections and caches to settle.
const WARM_UP: Duration = Duration::from_secs(5);
/// Size and number of the writes of the comparison: a reading as the peers of this field send it, one by one.
const WRITE_BYTES: usize = 300;
const WRITES: usize = 200_000;

/// What more viewers cost a server.
struct Delivered {
    name: String,
    /// Processor time for them.
    cpu_seconds: f64,
    /// Readings that they were sent.
    readings: f64,
    /// Frames that they were sent.
    frames: f64,
}

impl Delivered {
    fn us_per_reading(&self) -> f64 {
        self.cpu_seconds * 1e6 / self.readings
    }

    fn us_per_frame(&self) -> f64 {
        self.cpu_seconds * 1e6 / self.frames
    }
}

/// What a delivery costs our server, the peers, and a bare write.
///
/// # Errors
/// When a server or the load fails.
pub async fn delivery(context: &Context) -> Result<Vec<Figure>, ScenarioError> {
    let ours = measure(Subject::ours(context).await?, VIEWERS).await?;
    let mut reading = Figure::at_most(
        format!("server CPU per delivery (a host's reading to a viewer), {VIEWERS} viewers more"),
        ours.us_per_reading(),
        0.8,
        "µs",
    );
    for peer in Peer::ALL {
        let theirs = measure(Subject::peer(context, peer).await?, PEER_VIEWERS).await?;
        let name = format!("{}, {PEER_VIEWERS} viewers more", theirs.name);
        reading = reading.beside(&name, theirs.us_per_reading(), "µs");
    }
    let write = write_cost_us().await?;
    reading = reading.beside("a write of 300 bytes to a loopback socket", write, "µs");
    let frame = Figure::number("server CPU per frame to a viewer", ours.us_per_frame(), "µs");
    let readings_in_a_frame = format!("readings in a frame: {:.1}", ours.readings / ours.frames);
    Ok(vec![reading, frame.against(readings_in_a_frame)])
}

/// The difference between a run with one viewer and one with many, by the readings that the many were sent.
async fn measure(subject: Subject, viewers: usize) -> Result<Delivered, ScenarioError> {
    let fleet = subject
        .hosts(HOSTS, Some(Duration::from_secs(1)), "delivery")
        .await?;
    let stop = CancellationToken::new();
    let reader = subject.viewer(VIEWER_INDEX).await?;
    let reader = tokio::spawn(watch(reader, Duration::ZERO, stop.clone()));
    tokio::time::sleep(WARM_UP).await;

    let started = subject.cost()?;
    tokio::time::sleep(MEASURED).await;
    let alone = subject.cost()?.cpu_seconds - started.cpu_seconds;

    let mut many = JoinSet::new();
    for index in 1..=viewers {
        let socket = subject.viewer(VIEWER_INDEX + index).await?;
        many.spawn(drain(socket, WARM_UP, MEASURED));
    }
    tokio::time::sleep(WARM_UP).await;
    let started = subject.cost()?;
    tokio::time::sleep(MEASURED).await;
    let together = subject.cost()?.cpu_seconds - started.cpu_seconds;

    let mut drained = Latencies::default();
    while let Some(joined) = many.join_next().await {
        drained.absorb(joined.unwrap_or_default());
    }
    stop.cancel();
    let read = reader.await.unwrap_or_default();
    fleet.stop().await;
    let name = subject.name().to_owned();
    subject.close().await;
    if drained.closed || read.rows() == 0 || drained.bytes == 0 {
        return Err(ScenarioError::Unmeasured {
            reason: format!("a viewer of {name} was closed or saw nothing"),
        });
    }
    // All viewers are sent the same frames, so the reader's rows a byte hold for the others.
    Ok(Delivered {
        name,
        cpu_seconds: (together - alone).max(0.0),
        readings: drained.bytes as f64 * read.rows() as f64 / read.bytes as f64,
        frames: drained.frames as f64,
    })
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
