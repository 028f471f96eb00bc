//! Readings of this machine, recorded with node-client's own collectors, once a second.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, BufWriter, Write as _},
    path::Path,
    time::Duration,
};

use metric_flow_protocol::metrics::Sample;
use node_client::{collect::Sampler, host_root::HostRoot};
use tokio::time::MissedTickBehavior;

use super::ScenarioError;
use crate::context::Context;

/// Length of a recording that a scenario makes for itself: a little over two buckets of the store.
const SECONDS: u64 = 20 * 60;
/// The same machine has the same recording: below a folder that may be deleted at any time.
pub const RECORDING: &str = ".cache/bench/readings.jsonl";

/// The recording of this machine; makes it where there is none yet.
///
/// # Errors
/// When the file cannot be used.
pub async fn recorded(context: &Context) -> Result<Vec<Sample>, ScenarioError> {
    let path = context.project.join(RECORDING);
    if !path.exists() {
        context.say(format_args!(
            "recording this machine for {} minutes",
            SECONDS / 60
        ));
        record(&path, SECONDS).await?;
    }
    let mut samples = Vec::new();
    for line in BufReader::new(File::open(&path)?).lines() {
        let sample = serde_json::from_str(&line?);
        samples.push(sample.map_err(|error| std::io::Error::other(format!("{}: {error}", path.display())))?);
    }
    Ok(samples)
}

/// Reads all collectors once a second and keeps each sample as a line of JSON.
///
/// # Errors
/// When the file cannot be written.
pub async fn record(path: &Path, seconds: u64) -> Result<(), ScenarioError> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    // Complete under its name, or not there.
    let unfinished = path.with_extension("unfinished");
    let mut file = BufWriter::new(File::create(&unfinished)?);
    let mut sampler = Sampler::new(HostRoot::default());
    let mut clock = tokio::time::interval(Duration::from_secs(1));
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    clock.tick().await;
    for _second in 0..seconds {
        clock.tick().await;
        let line = serde_json::to_string(&sampler.read()).map_err(std::io::Error::other)?;
        writeln!(file, "{line}")?;
    }
    file.flush()?;
    std::fs::rename(unfinished, path)?;
    Ok(())
}
