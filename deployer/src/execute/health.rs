//! The health gate: a container counts as updated when its healthcheck says so and its published ports answer.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::{error::HostError, target::Target};
use crate::plan::DesiredContainer;

/// How often a container is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// The last lines of a container that an error shows.
const LAST_LINES: u32 = 10;
/// Restarts after which a container is given up: one may be a dependency that was not there yet.
const MOST_RESTARTS: i64 = 3;
/// The states in which a container has ended. What else is not `running` is on its way, or new to us, and is waited for.
const ENDED: [&str; 2] = ["exited", "dead"];

/// Waits until a container is well: healthy by its check, or running through `monitor` without one; then until its
/// published ports answer.
///
/// # Errors
///
/// When it ends, becomes unhealthy, or is not well in time; the error has its last lines.
pub(super) async fn gate(
    target: &Target,
    container: &DesiredContainer,
    monitor: Duration,
    stop: &CancellationToken,
) -> Result<(), HostError> {
    let since = Instant::now();
    // One that the engine starts again and again is running at most moments; it has to stay the same one.
    let (mut steady, mut start) = (Instant::now(), None);
    let deadline = target.settings.health_timeout;
    // A check of the image's own shows only in what the engine says.
    let own_check = container
        .spec
        .health
        .as_ref()
        .is_some_and(|health| health.test.first().is_some_and(|word| word != "NONE"));
    loop {
        let condition = target.engine.condition(&container.name).await?;
        let health = condition.health.as_deref();
        let this_start = Some((condition.restarts, condition.started_at.clone()));
        if !condition.running || start != this_start {
            (steady, start) = (Instant::now(), this_start);
        }
        if ENDED.contains(&condition.state.as_str()) {
            let may_return = container.spec.restart != "no"
                && condition.restarts < MOST_RESTARTS
                && since.elapsed() < monitor;
            if !may_return {
                let code = condition.exit_code.unwrap_or_default();
                return Err(unwell(target, container, format!("ended with status {code}")).await);
            }
        } else if condition.restarts >= MOST_RESTARTS {
            return Err(unwell(
                target,
                container,
                format!("was restarted {} times", condition.restarts),
            )
            .await);
        } else if health == Some("unhealthy") {
            let output = condition.health_output.unwrap_or_default();
            let said = if output.trim().is_empty() {
                String::new()
            } else {
                format!(" (its check says: {})", output.trim())
            };
            return Err(unwell(target, container, format!("is unhealthy{said}")).await);
        } else if health == Some("healthy")
            || (!own_check && health.is_none() && condition.running && steady.elapsed() >= monitor)
        {
            break;
        }
        if since.elapsed() >= deadline {
            let now = match (condition.state.as_str(), health) {
                ("running", Some(health)) => health.to_owned(),
                (state, _) => state.to_owned(),
            };
            let what = format!(
                "did not become healthy within {} s: it is {now}",
                deadline.as_secs()
            );
            return Err(unwell(target, container, what).await);
        }
        if stop.run_until_cancelled(sleep(LOOK_EVERY)).await.is_none() {
            return Err(HostError::Stopped);
        }
    }
    answers(target, container, since + deadline, stop).await
}

async fn unwell(target: &Target, container: &DesiredContainer, what: String) -> HostError {
    let lines = target.engine.last_lines(&container.name, LAST_LINES).await;
    HostError::Unhealthy {
        container: container.name.clone(),
        what,
        lines,
    }
}

/// Waits until the published TCP ports take a connection, asked from the host itself so that no firewall is between.
async fn answers(
    target: &Target,
    container: &DesiredContainer,
    until: Instant,
    stop: &CancellationToken,
) -> Result<(), HostError> {
    if container.spec.network_mode.is_some() {
        return Ok(());
    }
    for port in container.spec.ports.iter().filter(|port| port.protocol == "tcp") {
        let Some(number) = port.host else { continue };
        let address = port
            .host_ip
            .as_deref()
            .filter(|ip| *ip != "0.0.0.0" && *ip != "::")
            .unwrap_or("127.0.0.1");
        while target.session().open_tcp(address, number).await.is_err() {
            if Instant::now() >= until {
                let what = format!("does not answer on its published port {number}");
                return Err(unwell(target, container, what).await);
            }
            if stop.run_until_cancelled(sleep(LOOK_EVERY)).await.is_none() {
                return Err(HostError::Stopped);
            }
        }
    }
    Ok(())
}
