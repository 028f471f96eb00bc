//! The cost of a real node-client on this machine, next to Debian's prometheus-node-exporter scraped at 1 Hz.

use std::{net::SocketAddr, path::Path, process::Stdio, sync::atomic::Ordering, time::Duration};

use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    process::{Child, Command},
};

use super::{ScenarioError, Stage};
use crate::{
    context::Context,
    load::Relay,
    process::{Cost, ProcessError, cost_of},
    report::Figure,
};

/// Time for start-up costs to pass.
const WARM_UP: Duration = Duration::from_secs(10);
/// The measured stretch; both run side by side.
const MEASURED: Duration = Duration::from_secs(60);
/// The peer, from Debian's package of that name.
const EXPORTER: &str = "prometheus-node-exporter";

/// Runs both for a minute side by side and compares.
///
/// # Errors
/// When a program fails.
pub async fn node_client(context: &Context) -> Result<Vec<Figure>, ScenarioError> {
    let program = context.program("node-client");
    let stage = Stage::open(&context.program("socket-server")).await?;
    let relay = Relay::start(stage.server.address, None).await?;
    let folder = TempDir::new()?;
    let mut client = start(
        Command::new(&program),
        relay.address,
        &stage.api_key,
        folder.path(),
        1_000,
        1,
    )?;
    let mut exporter = Exporter::start().await?;
    tokio::time::sleep(WARM_UP).await;

    let (client_pid, exporter_pid) = (client.id().unwrap_or(0), exporter.child.id().unwrap_or(0));
    let (our_start, their_start) = (cost_of(client_pid)?, cost_of(exporter_pid)?);
    let bytes_before = relay.counts.up_bytes.load(Ordering::Relaxed);
    let scraped = exporter.scrape_each_second(MEASURED).await?;
    let bytes = relay.counts.up_bytes.load(Ordering::Relaxed) - bytes_before;
    let ours = between(our_start, cost_of(client_pid)?);
    let theirs = between(their_start, cost_of(exporter_pid)?);
    client.kill().await?;
    exporter.child.kill().await?;
    relay.stop().await;
    stage.close().await;

    let seconds = MEASURED.as_secs_f64();
    let mib = |cost: Cost| cost.resident_bytes as f64 / (1 << 20) as f64;
    let percent = |cost: Cost| cost.cpu_seconds / seconds * 100.0;
    let megabytes = |path: &Path| {
        std::fs::canonicalize(path)
            .and_then(std::fs::metadata)
            .map_or(0.0, |data| data.len() as f64 / 1e6)
    };
    Ok(vec![
        Figure::at_most("memory (RSS)", mib(ours), 6.0, "MiB").beside(EXPORTER, mib(theirs), "MiB"),
        Figure::at_most("CPU, of one core", percent(ours), 0.15, "%").beside(EXPORTER, percent(theirs), "%"),
        Figure::at_most(
            "bytes a sample on the wire (WebSocket frames in TCP's payload)",
            bytes as f64 / seconds,
            250.0,
            "B",
        )
        .beside("a scrape's answer", scraped as f64 / seconds, "B"),
        Figure::at_most("program, stripped", megabytes(&program), 5.0, "MB").beside(
            EXPORTER,
            megabytes(Path::new("/usr/bin/prometheus-node-exporter")),
            "MB",
        ),
    ])
}

/// Starts `node-client connect`.
pub(super) fn start(
    mut command: Command,
    server: SocketAddr,
    api_key: &str,
    folder: &Path,
    interval_ms: u64,
    hurry: u32,
) -> Result<Child, ScenarioError> {
    let key_file = folder.join("key");
    std::fs::write(&key_file, api_key)?;
    command
        .args(["connect", "--server", &format!("http://{server}")])
        .args(["--interval-ms", &interval_ms.to_string()])
        .args(["--hurry", &hurry.to_string()])
        .arg("--api-key-file")
        .arg(&key_file)
        .arg("--spool-dir")
        .arg(folder.join("spool"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(folder.join("log"))?)
        .kill_on_drop(true);
    let program = command.as_std().get_program().into();
    Ok(command
        .spawn()
        .map_err(|source| ProcessError::Start { program, source })?)
}

/// Debian's exporter with its defaults.
struct Exporter {
    child: Child,
    address: String,
}

impl Exporter {
    async fn start() -> Result<Self, ScenarioError> {
        // The exporter cannot report a port of the kernel's choice, so a free one is found for it.
        let port = TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port();
        let address = format!("127.0.0.1:{port}");
        let child = Command::new(EXPORTER)
            .arg(format!("--web.listen-address={address}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|source| ProcessError::Start {
                program: EXPORTER.into(),
                source,
            })?;
        Ok(Self { child, address })
    }

    /// How many bytes came.
    async fn scrape_each_second(&mut self, duration: Duration) -> std::io::Result<usize> {
        let mut each_second = tokio::time::interval(Duration::from_secs(1));
        let mut bytes = 0;
        for _second in 0..duration.as_secs() {
            each_second.tick().await;
            bytes += scrape(&self.address).await?;
        }
        each_second.tick().await;
        Ok(bytes)
    }
}

async fn scrape(address: &str) -> std::io::Result<usize> {
    let mut stream = TcpStream::connect(address).await?;
    stream
        .write_all(
            b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n",
        )
        .await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await
}

fn between(before: Cost, after: Cost) -> Cost {
    Cost {
        cpu_seconds: after.cpu_seconds - before.cpu_seconds,
        resident_bytes: after.resident_bytes,
    }
}
