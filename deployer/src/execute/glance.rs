//! A glance at a host: whether anything there has changed since a look found nothing to do. It asks neither the engine nor
//! the firewall's daemon, which take most of the time that a look takes; so a rollout with nothing to do costs about as
//! much as running one command over SSH.
//!
//! What a look has seen is kept on the host with a stamp of everything that it depends on. A stamp that differs proves
//! nothing but that one has to look; the same stamp proves that a look would see the same.

use serde::{Deserialize, Serialize};

use super::{
    error::HostError,
    observe::SEPARATOR,
    state::to_text,
    target::{Target, within},
};
use crate::{
    firewall::{self, FirewallState},
    inventory::EngineKind,
    plan::{DesiredHost, ObservedHost},
    remote::quote,
};

/// The file in the state folder.
const FILE: &str = "seen.json";

/// What a look has seen when there was nothing to do.
#[derive(Debug, Serialize, Deserialize)]
struct Seen {
    stamp: String,
    observed: ObservedHost,
}

/// What a glance shows.
#[derive(Debug, Clone, Default)]
pub struct Glance {
    /// Of the host as it is. None for an engine that is not known by its files.
    stamp: Option<String>,
    /// What a look would see, when nothing has changed since the last one.
    pub observed: Option<ObservedHost>,
}

impl Glance {
    /// Whether both show the same host in the same state, as far as a glance can tell one state from another.
    #[must_use]
    pub fn is_as(&self, before: &Self) -> bool {
        self.stamp.is_some() && self.stamp == before.stamp
    }
}

/// Glances at a host.
///
/// # Errors
///
/// When the host does not answer.
pub async fn glance(target: &Target, desired: &DesiredHost, no_firewall: bool) -> Result<Glance, HostError> {
    let Some(stamp) = stamp(target, desired, no_firewall) else {
        return Ok(Glance::default());
    };
    // Where nothing was rolled out yet there is no folder, and in the root's nothing of ours.
    let script = format!(
        "cd {} 2>/dev/null || cd /\n{stamp}\necho '{SEPARATOR}'\ncat {FILE} 2>/dev/null\n",
        target.folder()
    );
    let (session, deadline) = (target.session(), target.settings.step_timeout);
    let asking = async { Ok(session.exec(&script, b"", deadline).await?) };
    let text = within(deadline, "glance at the host", asking).await?.text();
    Ok(read(&text, desired, no_firewall))
}

/// Keeps what a look has seen for the next glance, unless something has changed since `glance`, or a health check is in
/// doubt: a container turns unhealthy after some failures, and the stamp of the first is that of the last. Only where
/// there was nothing to do.
///
/// # Errors
///
/// When the host does not answer.
pub async fn keep_in_mind(
    target: &Target,
    desired: &DesiredHost,
    no_firewall: bool,
    glance: &Glance,
    observed: &ObservedHost,
) -> Result<(), HostError> {
    let (Some(command), Some(stamp)) = (stamp(target, desired, no_firewall), &glance.stamp) else {
        return Ok(());
    };
    let seen = to_text(
        FILE,
        &Seen {
            stamp: stamp.clone(),
            observed: observed.clone(),
        },
    )?;
    let in_doubt = is_in_doubt(target);
    let command = format!(
        "cd {} && umask 077 && ! {{ {in_doubt}; }} && now=$(\n{command}\n) && [ \"$now\" = {} ] && cat >{FILE}.new \
         && mv -f {FILE}.new {FILE}; true",
        target.folder(),
        quote(stamp)
    );
    target.shell(&command, &seen).await?;
    Ok(())
}

/// What the script says, if it is to be believed: seen under the same stamp, the firewall too where it matters.
fn read(text: &str, desired: &DesiredHost, no_firewall: bool) -> Glance {
    let Some((stamp, seen)) = text.split_once(SEPARATOR) else {
        return Glance::default();
    };
    let stamp = stamp.trim().to_owned();
    let seen: Option<Seen> = serde_json::from_str(seen).ok();
    let observed = seen.filter(|seen| seen.stamp == stamp).map(|seen| seen.observed);
    let asked = |observed: &ObservedHost| {
        let matters = !desired.ports.is_empty() || !observed.opened.is_empty();
        no_firewall || !matters || observed.firewall != FirewallState::NotAsked
    };
    let observed = observed.filter(asked).map(|observed| ObservedHost {
        // As a look has it: with no container to change they are not asked for.
        networks: desired.networks.clone(),
        volumes: desired.volumes.clone(),
        ..observed
    });
    Glance {
        stamp: Some(stamp),
        observed,
    }
}

/// A command that prints another word whenever something has changed on the host that a look would see: which containers
/// run (each has a conmon of its own; one that is started again has another), which are frozen, whose health check
/// fails or is under way (by its unit), what the deployer remembers, what comes back after a boot, and the firewall.
fn stamp(target: &Target, desired: &DesiredHost, no_firewall: bool) -> Option<String> {
    let wanted = match target.host().engine {
        EngineKind::Podman => "/etc/systemd/system/*/podman-restart.service",
        EngineKind::PodmanRootless => "\"$HOME\"/.config/systemd/user/*/podman-restart.service",
        EngineKind::Docker => return None,
    };
    let checks = doubtful_checks(target);
    let firewall = firewall::stamp(target.sudo());
    let firewall = match (no_firewall, desired.ports.is_empty()) {
        (true, _) => ":".to_owned(),
        (false, false) => firewall,
        (false, true) => format!("! grep -q '\"zone\"' state.json 2>/dev/null || {{ {firewall}; }}"),
    };
    Some(format!(
        "{{ pgrep -ax 'conmon|firewalld' | grep -v exec-process-spec; grep -lsx 1 /sys/fs/cgroup/*/*libpod*/cgroup.freeze \
         /sys/fs/cgroup/*/*/*libpod*/cgroup.freeze; ls -ln --full-time state.json journal.json files {wanted}; \
         {checks}; {firewall}\n}} 2>&1 | sha256sum"
    ))
}

/// A command that lists the health checks that have failed, and those under way: their units begin with a container's id.
fn doubtful_checks(target: &Target) -> String {
    let systemctl = match target.host().engine {
        EngineKind::PodmanRootless => "systemctl --user",
        EngineKind::Podman | EngineKind::Docker => "systemctl",
    };
    format!(
        "{systemctl} list-units --type=service --state=failed,activating,running --plain --no-legend --full | \
         grep -E '^[0-9a-f]{{64}}'"
    )
}

/// A command that succeeds while such a check is that of a container that runs: a unit may outlive its container.
fn is_in_doubt(target: &Target) -> String {
    format!(
        "{} | grep -oE '^[0-9a-f]{{64}}' | while read -r id; do pgrep -f \"conmon .*-c $id \"; done | grep -q .",
        doubtful_checks(target)
    )
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::{firewall::PortRule, plan::ObservedHost};

    fn said(stamp: &str, observed: &ObservedHost) -> String {
        let seen = Seen {
            stamp: "abc  -".to_owned(),
            observed: observed.clone(),
        };
        let seen = serde_json::to_string(&seen).expect("JSON");
        format!("{stamp}  -\n{SEPARATOR}\n{seen}")
    }

    #[test]
    fn what_was_seen_counts_under_the_same_stamp_only() {
        let (desired, observed) = (DesiredHost::default(), ObservedHost::default());
        let same = read(&said("abc", &observed), &desired, false);
        assert_eq!(same.observed, Some(observed.clone()));
        let other = read(&said("abd", &observed), &desired, false);
        assert_eq!((other.stamp.as_deref(), other.observed), (Some("abd  -"), None));
        assert!(read("", &desired, false).observed.is_none());
        assert!(
            read(&format!("abc  -\n{SEPARATOR}\n"), &desired, false)
                .observed
                .is_none()
        );
    }

    #[test]
    fn a_firewall_that_was_not_asked_then_is_asked_where_it_matters_now() {
        let mut desired = DesiredHost::default();
        desired.ports.insert(PortRule {
            port: 9090,
            protocol: "tcp".to_owned(),
            source: None,
        });
        let text = said("abc", &ObservedHost::default());
        assert!(read(&text, &desired, false).observed.is_none());
        assert!(read(&text, &desired, true).observed.is_some());
    }
}
