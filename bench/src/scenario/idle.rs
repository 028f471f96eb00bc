//! Many hosts that only stay connected, and all of them coming back at once.

use std::time::Duration;

use tokio::time::Instant;

use super::{ScenarioError, subject::Subject};
use crate::{context::Context, peer::Peer, report::Figure};

/// Hosts of both scenarios: below the limit of 20,000 descriptors of a process, both ends counted apart.
const HOSTS: usize = 9_000;
/// Hosts that come and go before memory is read.
const WARM_UP_HOSTS: usize = 200;
/// The numbering of every host: one that comes back is the same.
const EPOCH: &str = "idle";
/// Time for buffers of the handshakes to be given back.
const SETTLE: Duration = Duration::from_secs(3);

/// Memory that each connected, silent host costs the server: first its record, kept whether it is there or not, then
/// its connection. The peers keep no records.
///
/// # Errors
/// When a server or the load fails.
pub async fn idle_sockets(context: &Context) -> Result<Vec<Figure>, ScenarioError> {
    let ours = Subject::ours(context).await?;
    come_and_go(&ours, WARM_UP_HOSTS).await?;
    let mut ours = ours.restart(context).await?;
    let few_records = settled_bytes(&mut ours).await?;
    come_and_go(&ours, HOSTS).await?;
    let mut ours = ours.restart(context).await?;
    let all_records = settled_bytes(&mut ours).await?;
    let connected = connected_bytes(&mut ours).await?;
    ours.close().await;

    let mut socket = Figure::at_most(
        "server's user memory (RSS) per idle host socket",
        kib_each(all_records, connected, HOSTS),
        3.5,
        "KiB",
    );
    for peer in Peer::ALL {
        let mut theirs = Subject::peer(context, peer).await?;
        let empty = settled_bytes(&mut theirs).await?;
        let connected = connected_bytes(&mut theirs).await?;
        socket = socket.beside(theirs.name(), kib_each(empty, connected, HOSTS), "KiB");
        theirs.close().await;
    }
    let record = Figure::number(
        "server's user memory per known host, connected or not (its record, and what the store keeps of it in memory)",
        kib_each(few_records, all_records, HOSTS - WARM_UP_HOSTS),
        "KiB",
    );
    Ok(vec![socket, record])
}

fn kib_each(before: u64, after: u64, hosts: usize) -> f64 {
    after.saturating_sub(before) as f64 / hosts as f64 / 1024.0
}

/// Memory of a server to which some hosts came and went: they paid for pools and code pages.
async fn settled_bytes(subject: &mut Subject) -> Result<u64, ScenarioError> {
    come_and_go(subject, WARM_UP_HOSTS).await?;
    tokio::time::sleep(SETTLE).await;
    subject.kept_bytes().await
}

/// Memory of a server with all hosts connected.
async fn connected_bytes(subject: &mut Subject) -> Result<u64, ScenarioError> {
    let fleet = subject.hosts(HOSTS, None, EPOCH).await?;
    tokio::time::sleep(SETTLE).await;
    let bytes = subject.kept_bytes().await?;
    fleet.stop().await;
    Ok(bytes)
}

/// Time until all hosts are back after the server was killed and started again.
///
/// # Errors
/// When a server or the load fails.
pub async fn reconnect(context: &Context) -> Result<Vec<Figure>, ScenarioError> {
    let (_, ours) = seconds_to_come_back(context, Subject::ours(context).await?).await?;
    let mut figure = Figure::at_most("until the last of 9,000 hosts is greeted again", ours, 5.0, "s");
    for peer in Peer::ALL {
        let (name, theirs) = seconds_to_come_back(context, Subject::peer(context, peer).await?).await?;
        figure = figure.beside(&name, theirs, "s");
    }
    Ok(vec![figure])
}

/// The server's name, and the time.
async fn seconds_to_come_back(context: &Context, subject: Subject) -> Result<(String, f64), ScenarioError> {
    come_and_go(&subject, HOSTS).await?;
    let subject = subject.restart(context).await?;
    let start = Instant::now();
    let fleet = subject.hosts(HOSTS, None, EPOCH).await?;
    let seconds = start.elapsed().as_secs_f64();
    fleet.stop().await;
    let name = subject.name().to_owned();
    subject.close().await;
    Ok((name, seconds))
}

async fn come_and_go(subject: &Subject, hosts: usize) -> Result<(), ScenarioError> {
    subject.hosts(hosts, None, EPOCH).await?.stop().await;
    Ok(())
}
