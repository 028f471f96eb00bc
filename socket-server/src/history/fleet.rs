//! One series across hosts: their sum, mean, maximum or 95th percentile, whole or by a label.

use std::collections::BTreeMap;

use futures_util::{FutureExt as _, StreamExt as _, TryStreamExt as _, future::BoxFuture, stream};
use serde::{Deserialize, Serialize};

use super::{
    HistoryError, HistoryRequest,
    columns::Steps,
    plan::{Plan, plan},
    query::{for_each_row, kept_from},
};
use crate::store::{HostRecord, Store, StoreError};

/// Hosts that are read at the same time: enough to use the processors, too few to starve the live path.
const HOSTS_AT_A_TIME: usize = 4;

/// How hosts are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FleetAggregate {
    /// All together.
    Sum,
    /// Of those that have a value.
    Mean,
    /// The highest.
    Max,
    /// The value that 95 % of the hosts do not exceed (nearest rank).
    P95,
}

/// A question about the past of many hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FleetRequest {
    /// Name of the series; `KIND:*` stands for all instances of a kind together, such as all interfaces of a host.
    pub series: String,
    /// First instant, milliseconds since 1970-01-01 UTC.
    pub from_unix_ms: i64,
    /// Instant after the last one.
    pub to_unix_ms: i64,
    /// Most points wanted.
    pub points: usize,
    /// How hosts are put together.
    pub aggregate: FleetAggregate,
    /// Name of a label: one group for each of its values.
    pub by: Option<String>,
}

/// The past of many hosts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FleetHistory {
    /// Name of the series.
    pub series: String,
    /// How hosts were put together.
    pub aggregate: FleetAggregate,
    /// Distance of two points.
    pub step_ms: i64,
    /// Start of each point's step.
    pub times_unix_ms: Vec<i64>,
    /// One group, or one for each value of the label.
    pub groups: Vec<FleetGroup>,
}

/// Some hosts put together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FleetGroup {
    /// Value of the label; empty for hosts without it and for the whole fleet.
    pub label: String,
    /// How many hosts had any value.
    pub hosts: usize,
    /// One value for each point.
    pub values: Vec<Option<f64>>,
}

/// End of a name that stands for all instances of a kind.
const EVERY_INSTANCE: &str = ":*";

/// Most instances of a kind that are read for one host: hosts with thousands of interfaces exist.
const INSTANCES_MAX: usize = 64;

/// Answers a question about the past of these hosts; each host counts with its mean over a step, and with the sum of
/// its instances where all of them are asked for.
///
/// # Errors
/// When the question makes no sense or the store fails.
pub async fn fleet(
    store: &dyn Store,
    hosts: &[HostRecord],
    request: &FleetRequest,
) -> Result<FleetHistory, HistoryError> {
    let (from, to) = (request.from_unix_ms, request.to_unix_ms);
    let asked = HistoryRequest {
        series: vec![request.series.clone()],
        from_unix_ms: from,
        to_unix_ms: to,
        points: request.points,
    };
    asked.check()?;
    let plan = plan(from, to, request.points, hosts.len(), kept_from(store).await?);
    // Boxed one by one: a stream over borrowing closures is not known to be `Send` (rust-lang/rust#102211).
    let reads: Vec<BoxFuture<'_, _>> = hosts
        .iter()
        .map(|host| means(store, host, request, &plan).boxed())
        .collect();
    let means: Vec<Vec<Option<f64>>> = stream::iter(reads)
        .buffered(HOSTS_AT_A_TIME)
        .try_collect()
        .await?;
    let mut groups: BTreeMap<String, Vec<Vec<Option<f64>>>> = BTreeMap::new();
    for (host, means) in hosts.iter().zip(means) {
        if means.iter().any(Option::is_some) {
            groups
                .entry(label_of(host, request.by.as_deref()))
                .or_default()
                .push(means);
        }
    }
    let group = |(label, hosts): (String, Vec<Vec<Option<f64>>>)| FleetGroup {
        label,
        hosts: hosts.len(),
        values: (0..plan.points)
            .map(|point| together(&hosts, point, request.aggregate))
            .collect(),
    };
    Ok(FleetHistory {
        series: request.series.clone(),
        aggregate: request.aggregate,
        step_ms: plan.step_ms,
        times_unix_ms: Steps::new(&plan, 0).times(),
        groups: groups.into_iter().map(group).collect(),
    })
}

async fn means(
    store: &dyn Store,
    host: &HostRecord,
    request: &FleetRequest,
    plan: &Plan,
) -> Result<Vec<Option<f64>>, StoreError> {
    let (from, to) = (request.from_unix_ms, request.to_unix_ms);
    let series = match request.series.strip_suffix(EVERY_INSTANCE) {
        None => vec![request.series.clone()],
        Some(kind) => instances(kind, store.series_names(&host.id, from, to).await?),
    };
    let mut steps = Steps::new(plan, series.len());
    if !series.is_empty() {
        for_each_row(store, host, &series, plan, from, to, |row| steps.add(row)).await?;
    }
    let mut means = vec![None; plan.points];
    for place in 0..series.len() {
        for (sum, mean) in means.iter_mut().zip(steps.means(place)) {
            *sum = match (*sum, mean) {
                (Some(sum), Some(mean)) => Some(sum + mean),
                (sum, mean) => mean.or(sum),
            };
        }
    }
    Ok(means)
}

/// The instances of a kind among the names of a host.
fn instances(kind: &str, names: Vec<String>) -> Vec<String> {
    let of_kind = |name: &String| name.strip_prefix(kind).is_some_and(|rest| rest.starts_with(':'));
    names.into_iter().filter(of_kind).take(INSTANCES_MAX).collect()
}

fn label_of(host: &HostRecord, name: Option<&str>) -> String {
    let value = name.and_then(|name| host.given_labels.get(name).or_else(|| host.own_labels.get(name)));
    value.cloned().unwrap_or_default()
}

fn together(hosts: &[Vec<Option<f64>>], point: usize, aggregate: FleetAggregate) -> Option<f64> {
    let mut values: Vec<f64> = hosts.iter().filter_map(|means| means[point]).collect();
    if values.is_empty() {
        return None;
    }
    let sum: f64 = values.iter().sum();
    values.sort_by(f64::total_cmp);
    match aggregate {
        FleetAggregate::Sum => Some(sum),
        FleetAggregate::Mean => Some(sum / values.len() as f64),
        FleetAggregate::Max => values.last().copied(),
        FleetAggregate::P95 => values.get((values.len() * 95).div_ceil(100) - 1).copied(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_instance_of_a_kind_is_found_and_no_other_kind() {
        let names = [
            "load",
            "received",
            "received:eth0",
            "received:eth1",
            "received_errors:eth0",
        ];
        let found = instances("received", names.map(ToOwned::to_owned).into());
        assert_eq!(found, ["received:eth0", "received:eth1"]);
    }

    #[test]
    fn hosts_are_put_together_by_those_that_have_a_value() {
        let hosts: Vec<Vec<Option<f64>>> = (1..=20).map(|value| vec![Some(f64::from(value)), None]).collect();
        let first = |aggregate| together(&hosts, 0, aggregate);
        assert_eq!(first(FleetAggregate::Sum), Some(210.0));
        assert_eq!(first(FleetAggregate::Mean), Some(10.5));
        assert_eq!(first(FleetAggregate::Max), Some(20.0));
        assert_eq!(first(FleetAggregate::P95), Some(19.0));
        assert_eq!(together(&hosts, 1, FleetAggregate::Sum), None);
    }
}
