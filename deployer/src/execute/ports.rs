//! Ports of a host, seen and changed outside of a rollout.

use super::{
    apply::HostRun,
    error::HostError,
    journal::Journal,
    observe::{SEPARATOR, firewall_state},
    state::State,
    target::Target,
    undo::undo_all,
};
use crate::{
    firewall::{self, FirewallState},
    plan::{Action, Step},
};

/// What the firewall of a host lets in.
///
/// # Errors
///
/// When the host does not answer.
pub async fn firewall_of(target: &Target) -> Result<FirewallState, HostError> {
    let query = firewall::query(target.sudo(), SEPARATOR);
    let output = target
        .session()
        .exec(&query, b"", target.settings.step_timeout)
        .await?;
    let text = output.text();
    let mut parts = text.split(SEPARATOR).map(str::trim);
    let (runtime, permanent) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    Ok(firewall_state(runtime, permanent))
}

/// Opens and closes what the steps say, and remembers it; when one of them fails, those before it are undone.
///
/// # Errors
///
/// When the firewall cannot be changed.
pub async fn change_ports(target: &Target, steps: &[&Step]) -> Result<(), HostError> {
    let mut run = HostRun {
        target: target.clone(),
        journal: Journal {
            release: "of the firewall".to_owned(),
            ..Journal::default()
        },
        state: State(target).read().await?,
    };
    for step in steps {
        let changed = match &step.action {
            Action::OpenPorts {
                zone,
                rules,
                permanent,
            } => run.open(zone, rules, *permanent).await,
            Action::ClosePorts {
                zone,
                rules,
                permanent,
            } => run.close(zone, rules, *permanent).await,
            _ => Ok(()),
        };
        if let Err(error) = changed {
            // What cannot be undone either stays in the journal, and `rollback` tries again.
            undo_all(target, &run.journal).await?;
            return Err(error);
        }
    }
    Journal::remove(target).await
}
