//! The cost of a real node-client on this machine, next to Debian's prometheus-node-exporter scraped at 1 Hz.

use std::{path::Path, process::Stdio, time::Duration};

use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    process::Command,
};

use super::{ScenarioError, Stage};
use crate::{
    process::{Cost, ProcessError, cost_of},
    report::Figure,
};

/// Time for start-up costs to pass.
const WARM_UP: Duration = Duration::from_secs(5);
/// The measured stretch.
const MEASURED: Duration = Duration::from_secs(60);
/// The peer, from Debian's package of that name.
const EXPORTER: &str = "prometheus-node-exporter";

/// Runs both for a minute each and compares.
///
/// # Errors
/// When a program fails.
pub async fn node_client(server: &Path, client: &Path) -> Result<Vec<Figure>, ScenarioError> {
    let ours = our_cost(server, client).await?;
    let theirs = exporter_cost().await?;
    let binary = std::fs::metadata(client)?.len() as f64 / 1e6;
    let mib = |cost: Cost| cost.resident_bytes as f64 / (1 << 20) as f64;
    let percent = |cost: Cost| cost.cpu_seconds / MEASURED.as_secs_f64() * 100.0;
    Ok(vec![
        Figure::at_most("node-client memory (RSS) at 1 Hz", mib(ours), 6.0, "MiB"),
        Figure::at_most("node-client CPU at 1 Hz, of one core", percent(ours), 0.15, "%"),
        Figure::at_most("node-client binary, stripped", binary, 5.0, "MB"),
        Figure::plain(
            "prometheus-node-exporter scraped at 1 Hz, memory and CPU",
            format!("{:.1} MiB, {:.2} %", mib(theirs), percent(theirs)),
        ),
        Figure::plain(
            "node-client to prometheus-node-exporter, memory and CPU",
            format!(
                "{:.2} ×, {:.2} ×",
                mib(ours) / mib(theirs),
                ours.cpu_seconds / theirs.cpu_seconds.max(0.01)
            ),
        ),
    ])
}

async fn our_cost(server: &Path, client: &Path) -> Result<Cost, ScenarioError> {
    let stage = Stage::open(server).await?;
    let folder = TempDir::new()?;
    let key_file = folder.path().join("key");
    std::fs::write(&key_file, &stage.api_key)?;
    let mut child = Command::new(client)
        .args([
            "connect",
            "--server",
            &format!("http://{}", stage.server.address),
            "--api-key-file",
        ])
        .arg(&key_file)
        .arg("--spool-dir")
        .arg(folder.path().join("spool"))
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|source| ProcessError::Start {
            program: client.to_owned(),
            source,
        })?;
    let pid = child.id().unwrap_or(0);
    tokio::time::sleep(WARM_UP).await;
    let before = cost_of(pid)?;
    tokio::time::sleep(MEASURED).await;
    let after = cost_of(pid)?;
    child.kill().await?;
    stage.close().await;
    Ok(between(before, after))
}

async fn exporter_cost() -> Result<Cost, ScenarioError> {
    // The exporter cannot report a port of the kernel's choice, so a free one is found for it.
    let port = TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port();
    let address = format!("127.0.0.1:{port}");
    let mut child = Command::new(EXPORTER)
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
    let pid = child.id().unwrap_or(0);
    tokio::time::sleep(WARM_UP).await;
    scrape(&address).await?;
    let before = cost_of(pid)?;
    let mut each_second = tokio::time::interval(Duration::from_secs(1));
    for _second in 0..MEASURED.as_secs() {
        each_second.tick().await;
        scrape(&address).await?;
    }
    let after = cost_of(pid)?;
    child.kill().await?;
    Ok(between(before, after))
}

async fn scrape(address: &str) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    stream
        .write_all(b"GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n")
        .await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(())
}

fn between(before: Cost, after: Cost) -> Cost {
    Cost {
        cpu_seconds: after.cpu_seconds - before.cpu_seconds,
        resident_bytes: after.resident_bytes,
    }
}
