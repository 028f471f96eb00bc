//! The comparison itself.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{
    desired::{DesiredContainer, DesiredHost, FileOrigin},
    observed::ObservedHost,
    step::{Action, Stage, Step},
};
use crate::{
    compose::Order,
    firewall::{FirewallState, PortRule},
};

/// What a comparison covers.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// The services in the order of their dependencies, each with the order of its update.
    pub services: Vec<(String, Option<Order>)>,
    /// The firewall is left alone.
    pub no_firewall: bool,
    /// The port of each host's sshd, which is never closed.
    pub ssh_ports: BTreeMap<String, u16>,
    /// The releases that are gone on with, by host: nobody has seen yet whether their containers are well.
    pub resumed: BTreeMap<String, String>,
}

/// What is to be done.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Plan {
    /// The steps, host by host and in the order of each host.
    pub steps: Vec<Step>,
    /// Containers that stay as they are.
    pub unchanged: usize,
    /// What a person should know although nothing has to be done about it.
    pub notes: Vec<String>,
    /// What stands in the way.
    pub obstacles: Vec<String>,
}

impl Plan {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.obstacles.is_empty()
    }

    /// The steps of one host and stage.
    pub fn of<'a>(&'a self, host: &'a str, stage: &'a Stage) -> impl Iterator<Item = &'a Step> {
        self.steps
            .iter()
            .filter(move |step| step.host == host && step.stage == *stage)
    }
}

/// Compares every host.
#[must_use]
pub fn compare(
    desired: &BTreeMap<String, DesiredHost>,
    observed: &BTreeMap<String, ObservedHost>,
    scope: &Scope,
) -> Plan {
    let mut plan = Plan::default();
    for (name, desired) in desired {
        if let Some(observed) = observed.get(name) {
            let mut host = HostPlan {
                name,
                desired,
                observed,
                scope,
                plan: &mut plan,
            };
            host.things();
            host.firewall();
            host.boot();
            host.containers();
        }
    }
    plan
}

struct HostPlan<'a> {
    name: &'a str,
    desired: &'a DesiredHost,
    observed: &'a ObservedHost,
    scope: &'a Scope,
    plan: &'a mut Plan,
}

impl HostPlan<'_> {
    fn step(&mut self, stage: Stage, action: Action, why: impl Into<String>) {
        self.plan.steps.push(Step {
            host: self.name.to_owned(),
            stage,
            action,
            why: why.into(),
        });
    }

    fn things(&mut self) {
        let (desired, observed) = (self.desired, self.observed);
        let mut seen = BTreeSet::new();
        for container in &desired.containers {
            let (image, id) = (&container.spec.image, &container.image_id);
            // An unchanged container proves that its image is there, and costs no further question.
            let unchanged = observed
                .containers
                .get(&container.name)
                .is_some_and(|old| container.is(old));
            let there = observed.images.contains_key(id.as_ref().unwrap_or(image));
            if !unchanged && !there && seen.insert(image) {
                let action = Action::ShipImage {
                    image: image.clone(),
                    id: id.clone(),
                };
                self.step(Stage::Prepare, action, "the host does not have it");
            }
        }
        for file in desired
            .files
            .iter()
            .filter(|file| file.origin == FileOrigin::Here)
        {
            if !observed.files.contains(&file.name) {
                self.step(
                    Stage::Prepare,
                    Action::WriteFile(file.clone()),
                    "the host does not have this content",
                );
            }
        }
        for name in desired.networks.difference(&observed.networks) {
            self.step(
                Stage::Prepare,
                Action::CreateNetwork { name: name.clone() },
                "it is not there",
            );
        }
        for name in desired.volumes.difference(&observed.volumes) {
            self.step(
                Stage::Prepare,
                Action::CreateVolume { name: name.clone() },
                "it is not there",
            );
        }
    }

    fn firewall(&mut self) {
        if self.scope.no_firewall {
            return;
        }
        let desired = self.desired;
        match &self.observed.firewall {
            FirewallState::NotAsked => {}
            FirewallState::Absent => {
                if !desired.ports.is_empty() {
                    let note = format!(
                        "{}: no firewalld runs here; its ports are as open as its network is",
                        self.name
                    );
                    self.plan.notes.push(note);
                }
            }
            FirewallState::Unreadable { reason } => {
                let name = self.name;
                self.plan
                    .obstacles
                    .push(format!("{name}: the firewall cannot be asked: {reason}"));
            }
            FirewallState::On {
                zone,
                runtime,
                permanent,
            } => {
                for (open, is_permanent) in [(runtime, false), (permanent, true)] {
                    self.open(zone, open, is_permanent);
                }
                self.close();
            }
        }
        if !desired.around.is_empty() && matches!(self.observed.firewall, FirewallState::On { .. }) {
            let ports: Vec<String> = desired
                .around
                .iter()
                .map(|rule| format!("{}/{}", rule.port, rule.protocol))
                .collect();
            let unlimited = if desired.around.iter().any(|rule| rule.source.is_some()) {
                "; `x-firewall.sources` cannot limit them: use `network_mode: host` for that"
            } else {
                ""
            };
            let ports: BTreeSet<String> = ports.into_iter().collect();
            let ports = ports.into_iter().collect::<Vec<_>>().join(", ");
            self.plan.notes.push(format!(
                "{}: the engine publishes {ports} around firewalld, so nothing is opened for it{unlimited}",
                self.name
            ));
        }
    }

    fn open(&mut self, zone: &str, open: &BTreeSet<PortRule>, permanent: bool) {
        let rules: Vec<PortRule> = self.desired.ports.difference(open).cloned().collect();
        if rules.is_empty() {
            return;
        }
        let ours = |rule: &PortRule| self.observed.opened.iter().any(|opened| opened.rule == *rule);
        let why = if rules.iter().any(ours) {
            "somebody closed it since"
        } else {
            "the firewall would keep it out"
        };
        self.step(
            Stage::Prepare,
            Action::OpenPorts {
                zone: zone.to_owned(),
                rules,
                permanent,
            },
            why,
        );
    }

    /// Closes what we opened and nobody wants any more; never the port of our own ssh.
    fn close(&mut self) {
        let ssh = self.scope.ssh_ports.get(self.name).copied();
        let stale = |rule: &PortRule| !self.desired.ports.contains(rule) && Some(rule.port) != ssh;
        let mut zones: BTreeMap<(&str, bool), Vec<PortRule>> = BTreeMap::new();
        for opened in self.observed.opened.iter().filter(|opened| stale(&opened.rule)) {
            for (ours, permanent) in [(opened.runtime, false), (opened.permanent, true)] {
                if ours {
                    zones
                        .entry((&opened.zone, permanent))
                        .or_default()
                        .push(opened.rule.clone());
                }
            }
        }
        for ((zone, permanent), rules) in zones {
            let action = Action::ClosePorts {
                zone: zone.to_owned(),
                rules,
                permanent,
            };
            self.step(Stage::Clean, action, "we opened it and nothing needs it any more");
        }
    }

    fn boot(&mut self) {
        if self.desired.boot && self.observed.boot == Some(false) {
            self.step(
                Stage::Prepare,
                Action::EnableBoot,
                "podman-restart.service is not enabled",
            );
        }
    }

    fn containers(&mut self) {
        let (desired, observed) = (self.desired, self.observed);
        for container in &desired.containers {
            let place = self
                .scope
                .services
                .iter()
                .position(|(name, _)| *name == container.service);
            let stage = Stage::Service(place.unwrap_or(self.scope.services.len()));
            self.enrol(container, &stage);
            let Some(old) = observed.containers.get(&container.name) else {
                self.step(
                    stage,
                    Action::Create {
                        container: Box::new(container.clone()),
                    },
                    "it is not there",
                );
                continue;
            };
            if !container.is(old) {
                let why = difference(container, &old.image_id);
                let order = place
                    .and_then(|place| self.scope.services.get(place))
                    .and_then(|(_, order)| *order);
                // Two containers cannot hold one port of the host.
                let holds_port = container.spec.ports.iter().any(|port| port.host.is_some())
                    || container.spec.network_mode.as_deref() == Some("host");
                let order = order.filter(|_| !holds_port).unwrap_or(Order::StopFirst);
                self.step(
                    stage,
                    Action::Replace {
                        container: Box::new(container.clone()),
                        order,
                    },
                    why,
                );
            } else if !old.running() {
                let why = format!(
                    "it is {}, not running",
                    if old.state.is_empty() {
                        "stopped"
                    } else {
                        &old.state
                    }
                );
                let container = Box::new(container.clone());
                self.step(stage, Action::Start { container }, why);
            } else if self.scope.resumed.get(self.name) == Some(&old.release) {
                let container = Box::new(container.clone());
                self.step(
                    stage,
                    Action::Await { container },
                    "it was cut off before it was well",
                );
            } else {
                self.plan.unchanged += 1;
                if old.health() == Some("unhealthy") {
                    self.plan.notes.push(format!(
                        "{}: {} runs as wanted, but is unhealthy: `deployer logs {}` shows what it says",
                        self.name, container.name, container.service
                    ));
                }
            }
        }
        let wanted: BTreeSet<&String> = desired
            .containers
            .iter()
            .map(|container| &container.name)
            .collect();
        for name in observed.containers.keys().filter(|name| !wanted.contains(name)) {
            self.step(
                Stage::Clean,
                Action::Remove { name: name.clone() },
                "nothing asks for it any more",
            );
        }
    }

    fn enrol(&mut self, container: &DesiredContainer, stage: &Stage) {
        let files = self.desired.files.iter().filter(|file| {
            matches!(file.origin, FileOrigin::Enrolment { .. })
                && !self.observed.files.contains(&file.name)
                && container.spec.files.iter().any(|used| used.source == file.source)
        });
        for file in files.cloned().collect::<Vec<_>>() {
            self.step(stage.clone(), Action::Enrol(file), "the host has no key yet");
        }
    }
}

fn difference(container: &DesiredContainer, old_image: &str) -> String {
    let same = |new: &str| new.trim_start_matches("sha256:") == old_image.trim_start_matches("sha256:");
    match container.image_id.as_deref() {
        Some(new) if !same(new) => "its image has changed".to_owned(),
        _ => "its settings have changed".to_owned(),
    }
}
