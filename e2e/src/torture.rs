//! One run: the faults of its plan on real programs, then the ledger.

use std::{path::Path, time::Duration};

use futures_util::future::try_join_all;
use tokio::time::sleep;

use crate::{
    cluster::{Cluster, ClusterError},
    fault_proxy::Fault as NetworkFault,
    host::End,
    ledger::{self, Entry, Total},
    plan::{Fault, Ground, Plan},
    template::Templates,
};

/// Longest wait for a host to hand over what it holds: far beyond what a busy machine needs.
const PATIENCE: Duration = Duration::from_secs(300);

/// Runs a plan; a failed one leaves its files below `evidence`.
///
/// # Errors
/// When a program fails, or the ledger does not agree: the message says what, and where the files are.
pub async fn run(templates: &Templates, plan: &Plan, evidence: &Path) -> Result<Total, String> {
    let cluster = Cluster::start(templates, plan.ground).await;
    let mut cluster = cluster.map_err(|error| format!("{plan}\n  the programs did not start: {error}"))?;
    let what = match faults_and_ledger(&mut cluster, plan).await {
        Ok(total) => return Ok(total),
        Err(what) => what,
    };
    let folder = evidence.join(format!("seed-{}", plan.seed));
    let kept = match cluster.keep_evidence(&folder).await {
        Ok(()) => format!("its files are in {}", folder.display()),
        Err(error) => format!("its files could not be kept: {error}"),
    };
    Err(format!("{plan}\n  {what}\n  {kept}"))
}

async fn faults_and_ledger(cluster: &mut Cluster, plan: &Plan) -> Result<Total, String> {
    let words = |error: ClusterError| error.to_string();
    for step in &plan.steps {
        sleep(step.wait).await;
        strike(cluster, step.fault).await.map_err(words)?;
        sleep(step.lasts).await;
        // A server that cannot write says so, and goes on by itself when it can.
        let is_said = step.fault == Fault::FillDisk && plan.ground == Ground::SmallStore;
        if is_said {
            cluster.until_ready(false).await.map_err(words)?;
        }
        heal(cluster).await.map_err(words)?;
        if is_said {
            cluster.until_ready(true).await.map_err(words)?;
        }
    }
    let ends: Vec<End> = try_join_all(cluster.hosts.iter_mut().map(|host| host.hand_over(PATIENCE))).await?;
    cluster.kill_server().await;
    let entries = cluster.hosts.iter().zip(ends).map(|(host, end)| Entry {
        host: host.name.clone(),
        passed: host.proxy.account.passed(),
        end,
        may_lose: plan.may_lose(),
    });
    let entries: Vec<Entry> = entries.collect();
    let store = cluster.open_store().await?;
    let (total, mut wrong) = ledger::compare(&*store, &entries).await?;
    wrong.extend(cluster.panics());
    if wrong.is_empty() {
        Ok(total)
    } else {
        Err(wrong.join("\n  "))
    }
}

async fn strike(cluster: &mut Cluster, fault: Fault) -> Result<(), ClusterError> {
    match fault {
        Fault::KillServer => cluster.kill_server().await,
        Fault::KillClient(host) => cluster.hosts[host].kill().await?,
        Fault::KillBoth(host) => {
            cluster.hosts[host].kill().await?;
            cluster.kill_server().await;
        }
        Fault::Network(fault, which) => {
            for (index, host) in cluster.hosts.iter().enumerate() {
                if which.is_none_or(|which| which == index) {
                    host.proxy.set(fault);
                }
            }
        }
        Fault::FillDisk => fill(cluster)?,
        Fault::FillDiskAndKillClient(host) => {
            fill(cluster)?;
            // Some samples find no room before it dies.
            sleep(Duration::from_millis(250)).await;
            cluster.hosts[host].kill().await?;
        }
        Fault::KillDatabase => cluster.kill_database().await?,
        Fault::KillDatabaseAndServer => {
            cluster.kill_database().await?;
            cluster.kill_server().await;
        }
    }
    Ok(())
}

fn fill(cluster: &Cluster) -> Result<(), ClusterError> {
    if let Some(disk) = &cluster.small_disk {
        disk.fill()?;
    }
    Ok(())
}

/// Ends every fault, the lowest layer first.
async fn heal(cluster: &mut Cluster) -> Result<(), ClusterError> {
    if let Some(disk) = &cluster.small_disk {
        disk.free()?;
    }
    cluster.start_database().await?;
    cluster.start_server().await?;
    for host in &mut cluster.hosts {
        host.proxy.set(NetworkFault::None);
        host.start()?;
    }
    Ok(())
}
