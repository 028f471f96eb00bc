//! What the hosts are like: a glance, a look, and the plan that follows.

use std::collections::BTreeMap;

use super::scene::{Scene, Wanted, desired_of};
use crate::{
    error::Failure,
    execute::{Fleet, Glance, Sight, glance, keep_in_mind, observe, remember},
    plan::{DesiredHost, Plan, compare},
};

/// What a look has seen, and the glance right before it.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    pub(super) glances: BTreeMap<String, Glance>,
    pub(super) sights: BTreeMap<String, Sight>,
}

impl Scene {
    /// Glances at every host that is reached. A host that does not answer is looked at, which says why.
    pub(super) async fn glance(
        &self,
        fleet: &Fleet,
        desired: &BTreeMap<String, DesiredHost>,
        no_firewall: bool,
    ) -> BTreeMap<String, Glance> {
        let glances =
            fleet
                .each(|target| async move {
                    glance(target, &desired_of(desired, target.name()), no_firewall).await
                })
                .await;
        let answered = glances.into_iter();
        answered
            .filter_map(|(host, glance)| Some((host, glance.ok()?)))
            .collect()
    }

    /// The plan for hosts that are all as they were when they were last looked at; nothing when one may not be.
    pub(super) fn plan_at_a_glance(
        &self,
        fleet: &Fleet,
        glances: &BTreeMap<String, Glance>,
        desired: &BTreeMap<String, DesiredHost>,
        no_firewall: bool,
    ) -> Option<Plan> {
        let hosts = fleet.targets.keys();
        let observed = hosts.map(|host| Some((host.clone(), glances.get(host)?.observed.clone()?)));
        let observed: BTreeMap<_, _> = observed.collect::<Option<_>>()?;
        let plan = compare(&connected(fleet, desired), &observed, &self.scope(no_firewall));
        plan.is_empty().then_some(plan)
    }

    /// Keeps in mind, here and on the hosts, that there is nothing to do. What cannot be kept is looked at again.
    pub(super) async fn keep_in_mind(
        &self,
        fleet: &Fleet,
        wanted: &Wanted,
        no_firewall: bool,
        glances: &BTreeMap<String, Glance>,
        sights: &BTreeMap<String, Sight>,
    ) {
        let on_hosts = fleet.each(|target| async move {
            let (glance, sight) = (glances.get(target.name()), sights.get(target.name()));
            let (Some(glance), Some(sight)) = (glance, sight) else {
                return;
            };
            let desired = desired_of(&wanted.desired, target.name());
            let kept = keep_in_mind(target, &desired, no_firewall, glance, &sight.observed).await;
            if let Err(error) = kept {
                tracing::debug!(host = target.name(), %error, "what was seen is not kept in mind");
            }
        });
        tokio::join!(on_hosts, remember(&self.folder, &self.project, &wanted.images));
    }

    /// Looks at every host that is connected, and compares.
    pub(super) async fn look(
        &self,
        fleet: &Fleet,
        desired: &BTreeMap<String, DesiredHost>,
        no_firewall: bool,
        resume: bool,
    ) -> Result<(BTreeMap<String, Sight>, Plan), Failure> {
        let nothing = Seen::default();
        self.look_again(fleet, desired, no_firewall, resume, &nothing)
            .await
    }

    /// The same a moment after a look: a host that a glance finds as it was is not looked at again. What another
    /// rollout has done meanwhile shows at a glance.
    pub(super) async fn look_again(
        &self,
        fleet: &Fleet,
        desired: &BTreeMap<String, DesiredHost>,
        no_firewall: bool,
        resume: bool,
        before: &Seen,
    ) -> Result<(BTreeMap<String, Sight>, Plan), Failure> {
        let now = if before.sights.is_empty() {
            BTreeMap::new()
        } else {
            self.glance(fleet, desired, no_firewall).await
        };
        let seen = fleet
            .each(|target| {
                let unchanged = before.unchanged(target.name(), &now);
                async move {
                    match unchanged {
                        Some(sight) => Ok(sight),
                        None => observe(target, &desired_of(desired, target.name()), no_firewall).await,
                    }
                }
            })
            .await;
        let mut sights = BTreeMap::new();
        for (host, sight) in seen {
            let sight = sight.map_err(|error| error.into_failure(&host, "look at it"))?;
            sights.insert(host, sight);
        }
        let observed = sights
            .iter()
            .map(|(host, sight)| (host.clone(), sight.observed.clone()))
            .collect();
        let desired = connected(fleet, desired);
        let mut scope = self.scope(no_firewall);
        if resume {
            let begun = sights
                .iter()
                .filter_map(|(host, sight)| Some((host.clone(), sight.journal.as_ref()?.release.clone())));
            scope.resumed = begun.collect();
        }
        let plan = compare(&desired, &observed, &scope);
        Ok((sights, plan))
    }
}

impl Seen {
    /// What was seen of a host, if it is still so.
    fn unchanged(&self, host: &str, now: &BTreeMap<String, Glance>) -> Option<Sight> {
        let (now, before) = (now.get(host)?, self.glances.get(host)?);
        self.sights.get(host).filter(|_| now.is_as(before)).cloned()
    }
}

/// What the hosts that are connected are to run.
fn connected(fleet: &Fleet, desired: &BTreeMap<String, DesiredHost>) -> BTreeMap<String, DesiredHost> {
    let desired = desired.iter();
    desired
        .filter(|(host, _)| fleet.targets.contains_key(*host))
        .map(|(host, desired)| (host.clone(), desired.clone()))
        .collect()
}
