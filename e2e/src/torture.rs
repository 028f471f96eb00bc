//! One seeded run of faults: the same seed gives the same faults in the same order.

use std::{collections::HashMap, time::Duration};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use tokio::time::{Instant, sleep};

use crate::{
    cluster::{Cluster, ClusterError, PATIENCE, Template},
    fault_proxy::Fault,
    ledger::{self, Taken},
};

/// Hosts of a run.
const HOSTS: usize = 4;
/// Faults of a run.
const FAULTS: usize = 4;

/// What a run found.
#[derive(Debug)]
pub struct Outcome {
    /// Samples that all hosts took together.
    pub samples: u64,
    /// The faults, in words, for the message of a failure.
    pub story: Vec<String>,
}

/// Runs one seed.
///
/// # Errors
/// When a program fails, or the ledger does not agree: the message tells the whole story.
pub async fn run(template: &Template, seed: u64) -> Result<Outcome, String> {
    let mut story = Vec::new();
    match faults_and_ledger(template, seed, &mut story).await {
        Ok(samples) => Ok(Outcome { samples, story }),
        Err(what) => Err(format!("seed {seed}: {what}\nthe story: {}", story.join("; "))),
    }
}

async fn faults_and_ledger(template: &Template, seed: u64, story: &mut Vec<String>) -> Result<u64, String> {
    let mut random = StdRng::seed_from_u64(seed);
    let words = |error: ClusterError| error.to_string();
    let mut cluster = Cluster::start(template, HOSTS).await.map_err(words)?;
    for _ in 0..FAULTS {
        // The time between faults is part of the fault: it decides what is under way when it strikes.
        sleep(Duration::from_millis(random.random_range(50..400))).await;
        story.push(strike(&mut cluster, &mut random).await.map_err(words)?);
        sleep(Duration::from_millis(random.random_range(20..400))).await;
        heal(&mut cluster, &mut random).await.map_err(words)?;
    }
    let taken = settle(&mut cluster).await?;
    cluster.kill_server().await;
    let wrong = ledger::compare(&cluster.store(), &taken).await?;
    if !wrong.is_empty() {
        let wrong: Vec<String> = wrong.iter().map(ToString::to_string).collect();
        return Err(wrong.join("; "));
    }
    Ok(taken.iter().map(|taken| taken.last_seq).sum())
}

async fn strike(cluster: &mut Cluster, random: &mut StdRng) -> Result<String, ClusterError> {
    let host = random.random_range(0..HOSTS);
    let all = random.random_bool(0.3);
    let fault = match random.random_range(0..8_u8) {
        0 => {
            cluster.kill_server().await;
            return Ok("server killed".to_owned());
        }
        1 => {
            cluster.kill_client(host).await?;
            return Ok(format!("client {host} killed"));
        }
        2 => {
            cluster.kill_client(host).await?;
            cluster.kill_server().await;
            return Ok(format!("client {host} and server killed"));
        }
        3 => Fault::Delay(Duration::from_millis(random.random_range(5..80))),
        4 => Fault::Stall,
        5 => Fault::Reset,
        6 => Fault::Truncate(random.random_range(0..600)),
        _ => Fault::HalfClose,
    };
    for (index, one) in cluster.hosts.iter().enumerate() {
        if all || index == host {
            one.proxy.set(fault);
        }
    }
    Ok(if all {
        format!("{fault:?} for all")
    } else {
        format!("{fault:?} for host {host}")
    })
}

async fn heal(cluster: &mut Cluster, random: &mut StdRng) -> Result<(), ClusterError> {
    for host in &cluster.hosts {
        host.proxy.set(Fault::None);
    }
    if !cluster.serves() || random.random_bool(0.1) {
        cluster.start_server().await?;
    }
    for index in 0..HOSTS {
        cluster.start_client(index)?;
    }
    Ok(())
}

/// Ends every client in an orderly manner until nothing waits in its spool; returns what each took.
async fn settle(cluster: &mut Cluster) -> Result<Vec<Taken>, String> {
    let deadline = Instant::now() + PATIENCE;
    let mut taken = HashMap::new();
    while taken.len() < HOSTS {
        for index in 0..HOSTS {
            if taken.contains_key(&index) {
                continue;
            }
            let waiting = cluster.hosts[index]
                .state()
                .map_or(u64::MAX, |state| state.waiting_samples);
            if waiting > 5 && Instant::now() < deadline {
                continue;
            }
            cluster
                .end_client(index)
                .await
                .map_err(|error| error.to_string())?;
            match cluster.hosts[index].state() {
                Ok(state) if state.waiting_samples == 0 && state.acknowledged_seq > 0 => {
                    let host = format!("host-{index}");
                    taken.insert(
                        index,
                        Taken {
                            host,
                            last_seq: state.acknowledged_seq,
                        },
                    );
                }
                Ok(_) if Instant::now() < deadline => {
                    cluster.start_client(index).map_err(|error| error.to_string())?;
                }
                state => {
                    let log = cluster.hosts[index].log_tail();
                    return Err(format!(
                        "host-{index} could not hand over its samples: {state:?}\n{log}"
                    ));
                }
            }
        }
        sleep(Duration::from_millis(50)).await;
    }
    Ok(taken.into_values().collect())
}
