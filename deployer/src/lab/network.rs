//! Faults on purpose: a host off the network, a host that hangs, a host that reboots.

use super::{
    error::LabError,
    reach,
    session::{Host, Session},
};
use crate::progress::{Progress, Task};

/// How long a host may take to shut down in order, in seconds; then its power is cut.
pub(super) const SHUT_DOWN: i32 = 60;

/// Takes a host off the network, or freezes it.
pub(super) async fn cut(session: &Session, host: &Host, freeze: bool) -> Result<&'static str, LabError> {
    awake(session, host)?;
    let engine = session.engine();
    let name = &host.machine.name;
    if freeze {
        if host.machine.state == "paused" {
            return Ok("is frozen already");
        }
        engine.pause_machine(name).await?;
        return Ok("is frozen");
    }
    let network = session.name.network();
    if !host.machine.networks.contains(&network) {
        return Ok("is off the network already");
    }
    engine.leave_network(&network, name).await?;
    Ok("is off the network")
}

/// Undoes `cut`, and waits until the host answers.
pub(super) async fn heal(session: &Session, host: &Host, progress: &dyn Progress) -> Result<(), LabError> {
    awake(session, host)?;
    let task = Task::start(progress, &host.seat.host, "coming back");
    let engine = session.engine();
    let name = &host.machine.name;
    if host.machine.state == "paused" {
        engine.unpause_container(name).await?;
    }
    let network = session.name.network();
    if !host.machine.networks.contains(&network) {
        let joined = engine
            .join_network(&network, name, &host.seat.host, &host.seat.address)
            .await;
        joined.map_err(|error| match error {
            // The host was looked up a moment ago, so it is not what is missing.
            error if error.is_missing() => LabError::NoNetwork {
                lab: session.name.as_str().to_owned(),
                host: host.seat.host.clone(),
                network,
            },
            error => error.into(),
        })?;
    }
    reach::wait_for_ssh(session, std::slice::from_ref(&host.seat), &task).await?;
    task.done("answers on ssh");
    Ok(())
}

/// Shuts a host down in order and boots it again.
pub(super) async fn reboot(session: &Session, host: &Host, progress: &dyn Progress) -> Result<(), LabError> {
    let task = Task::start(progress, &host.seat.host, "shutting down");
    let name = &host.machine.name;
    if host.machine.state == "paused" {
        session.engine().unpause_container(name).await?;
    }
    session.engine().stop_machine(name, SHUT_DOWN).await?;
    task.doing("booting");
    session.engine().start_machine(name).await?;
    if host.machine.networks.contains(&session.name.network()) {
        reach::wait_for_ssh(session, std::slice::from_ref(&host.seat), &task).await?;
        task.done("rebooted");
    } else {
        task.done("boots, and is off the network as before; `lab heal` brings it back");
    }
    Ok(())
}

/// A host that has ended can neither be cut off nor come back by itself.
fn awake(session: &Session, host: &Host) -> Result<(), LabError> {
    match host.machine.state.as_str() {
        "running" | "paused" => Ok(()),
        state => Err(LabError::Down {
            lab: session.name.as_str().to_owned(),
            host: host.seat.host.clone(),
            state: state.to_owned(),
        }),
    }
}
