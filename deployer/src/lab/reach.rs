//! Whether hosts answer on ssh.

use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use tokio::{
    io::AsyncReadExt as _,
    net::TcpStream,
    time::{Instant, sleep, timeout},
};

use super::{error::LabError, names::Seat, session::Session};
use crate::progress::Task;

/// How long hosts may take to boot: twenty of them on two slow cores, with room.
const BOOT: Duration = Duration::from_secs(240);
/// How long one attempt may take; sshd greets at once when it is there.
const ATTEMPT: Duration = Duration::from_secs(2);
/// How long somebody waits for a host that should be there.
const SOON: Duration = Duration::from_secs(20);
/// How often a host is asked.
const ASK_EVERY: Duration = Duration::from_millis(100);

/// Waits until every host greets as an SSH server.
pub(super) async fn wait_for_ssh(session: &Session, seats: &[Seat], task: &Task<'_>) -> Result<(), LabError> {
    let deadline = Instant::now() + BOOT;
    let mut waiting = stream::iter(seats)
        .map(|seat| async move { (seat, answers_by(&seat.address, deadline).await) })
        .buffer_unordered(seats.len().max(1));
    let (mut silent, mut answered) = (Vec::new(), 0);
    while let Some((seat, answers)) = waiting.next().await {
        if answers {
            answered += 1;
            task.advance(answered);
        } else {
            silent.push(seat.host.clone());
        }
    }
    if silent.is_empty() {
        return Ok(());
    }
    silent.sort();
    Err(LabError::Silent {
        container: session.name.container(&silent[0]),
        lab: session.name.as_str().to_owned(),
        hosts: silent.join(", "),
        seconds: BOOT.as_secs(),
    })
}

/// Whether a host greets as an SSH server now.
pub(super) async fn answers(address: &str) -> bool {
    let greeting = async {
        let mut stream = TcpStream::connect((address, 22)).await.ok()?;
        let mut start = [0; 4];
        stream.read_exact(&mut start).await.ok()?;
        (&start == b"SSH-").then_some(())
    };
    matches!(timeout(ATTEMPT, greeting).await, Ok(Some(())))
}

/// Whether a host greets as an SSH server before a person gives up.
pub(super) async fn answers_soon(address: &str) -> bool {
    answers_by(address, Instant::now() + SOON).await
}

async fn answers_by(address: &str, deadline: Instant) -> bool {
    loop {
        if answers(address).await {
            return true;
        }
        if Instant::now() > deadline {
            return false;
        }
        sleep(ASK_EVERY).await;
    }
}
