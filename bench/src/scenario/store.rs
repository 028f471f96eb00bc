//! The embedded store by itself: how fast samples become durable, and what a value takes on disk.

use std::{
    collections::BTreeMap,
    fs::File,
    io::Write as _,
    path::Path,
    time::{Duration, Instant},
};

use metric_flow_protocol::metrics::Sample;
use serde_json::Value;
use socket_server::store::{AccountId, EmbeddedStore, HostId, SampleBatch, Store as _, retention::Retention};
use tempfile::TempDir;

use super::{ScenarioError, recording::recorded, stage::folder_bytes};
use crate::{context::Context, load::simulated_sample, report::Figure};

/// Samples of one commit, as a busy server groups them: ten hosts that replay a hundred each.
const GROUP_HOSTS: usize = 10;
const GROUP_SAMPLES: usize = 100;
/// How long samples are written.
const WRITING: Duration = Duration::from_secs(15);
/// What is kept of recorded data: a day of some hosts.
const KEPT_HOSTS: usize = 10;
const KEPT_SECONDS: i64 = 86_400;

/// Rate of durable samples, and bytes a value.
///
/// # Errors
/// When the store or a working file fails.
pub async fn store(context: &Context) -> Result<Vec<Figure>, ScenarioError> {
    let samples = recorded(context).await?;
    let mut figures = vec![durable_rate().await?];
    figures.extend(bytes_a_value(context, &samples).await?);
    Ok(figures)
}

async fn durable_rate() -> Result<Figure, ScenarioError> {
    let folder = TempDir::new()?;
    let store = EmbeddedStore::open(folder.path().join("store"), Retention::default()).await?;
    let (mut seq, mut written) = (0, 0);
    // Only the store is timed, not the making of its samples.
    let mut writing = Duration::ZERO;
    while writing < WRITING {
        let batches: Vec<SampleBatch> = (0..GROUP_HOSTS)
            .map(|host| {
                let samples = (0..GROUP_SAMPLES as u64).map(|next| {
                    simulated_sample(host, seq + next, START_UNIX_MS + 1_000 * (seq + next) as i64)
                });
                batch(host, samples.collect())
            })
            .collect();
        seq += GROUP_SAMPLES as u64;
        let started = Instant::now();
        store.append(&batches).await?;
        writing += started.elapsed();
        written += GROUP_HOSTS * GROUP_SAMPLES;
    }
    let rate = written as f64 / writing.as_secs_f64();
    let floor = plain_appends(folder.path())?;
    Ok(Figure::at_least(
        "durable samples a second, 1,000 to a commit",
        rate,
        50_000.0,
        "1/s",
    )
    .beside(
        "the same bytes appended to a file, fdatasync for each 1,000",
        floor,
        "1/s",
    ))
}

/// What the disk allows: encoded samples appended to one file, synced once a group.
fn plain_appends(folder: &Path) -> Result<f64, ScenarioError> {
    let mut file = File::create(folder.join("plain"))?;
    let bytes = wire_bytes(&simulated_sample(1, 1, START_UNIX_MS));
    let group = vec![7; bytes * GROUP_HOSTS * GROUP_SAMPLES];
    let started = Instant::now();
    let mut written = 0;
    while started.elapsed() < WRITING / 5 {
        file.write_all(&group)?;
        file.sync_data()?;
        written += GROUP_HOSTS * GROUP_SAMPLES;
    }
    Ok(written as f64 / started.elapsed().as_secs_f64())
}

/// 2026-01-01: simulated samples need no clock.
const START_UNIX_MS: i64 = 1_767_225_600_000;

async fn bytes_a_value(context: &Context, recorded: &[Sample]) -> Result<Vec<Figure>, ScenarioError> {
    let Some(first) = recorded.first() else {
        return Err(ScenarioError::Unmeasured {
            reason: "the recording of this machine is empty; remove .cache/bench".to_owned(),
        });
    };
    context.say(format_args!(
        "keeping a day of {KEPT_HOSTS} hosts of recorded readings"
    ));
    let folder = TempDir::new()?;
    let path = folder.path().join("store");
    let store = EmbeddedStore::open(&path, Retention::default()).await?;
    let span = recorded
        .last()
        .map_or(0, |last| last.time_unix_ms - first.time_unix_ms)
        + 1_000;
    let (mut values, mut wire, mut count) = (0_u64, 0_u64, 0_u64);
    let of_recording: Vec<(u64, u64)> = recorded
        .iter()
        .map(|sample| (readings(sample), wire_bytes(sample) as u64))
        .collect();
    let mut seq = 0;
    for turn in 0..(KEPT_SECONDS * 1_000 / span).max(1) {
        let shift = START_UNIX_MS + turn * span - first.time_unix_ms;
        for part in recorded.chunks(GROUP_SAMPLES) {
            let shifted: Vec<Sample> = part
                .iter()
                .map(|sample| {
                    seq += 1;
                    Sample {
                        seq,
                        time_unix_ms: sample.time_unix_ms + shift,
                        ..sample.clone()
                    }
                })
                .collect();
            let batches: Vec<_> = (0..KEPT_HOSTS).map(|host| batch(host, shifted.clone())).collect();
            store.append(&batches).await?;
        }
        for (of_sample, bytes) in &of_recording {
            values += of_sample * KEPT_HOSTS as u64;
            wire += bytes * KEPT_HOSTS as u64;
            count += KEPT_HOSTS as u64;
        }
        store.maintain(START_UNIX_MS + (turn + 1) * span).await?;
    }
    store.maintain(START_UNIX_MS + KEPT_SECONDS * 2_000).await?;
    drop(store);
    // What waits in the journal is written to its tables when the store is opened again and closed.
    drop(EmbeddedStore::open(&path, Retention::default()).await?);
    let files = by_kind(&path);
    let (tables, all) = (files.get("tables").copied().unwrap_or(0), folder_bytes(&path));
    let each = |bytes: u64| bytes as f64 / values as f64;
    Ok(vec![
        Figure::at_most(
            "bytes a value in the store's tables, its minutes and hours included, recorded data",
            each(tables),
            2.0,
            "B",
        )
        .beside("the same samples on the wire (protobuf)", each(wire), "B"),
        Figure::number(
            "bytes a value in the whole folder, journal included",
            each(all),
            "B",
        ),
        Figure::plain(
            "the recorded data",
            format!(
                "{} samples of this machine, {:.0} readings each, repeated to {count} samples",
                recorded.len(),
                values as f64 / count as f64
            ),
        ),
    ])
}

fn batch(host: usize, samples: Vec<Sample>) -> SampleBatch {
    SampleBatch {
        account: AccountId("bench".to_owned()),
        host: HostId(format!("host-{host}")),
        epoch: "bench".to_owned(),
        samples,
        dropped: Vec::new(),
    }
}

fn wire_bytes(sample: &Sample) -> usize {
    prost::Message::encoded_len(sample)
}

/// Numbers in a sample, its own number and time apart.
fn readings(sample: &Sample) -> u64 {
    fn count(value: &Value) -> u64 {
        match value {
            Value::Number(_) => 1,
            Value::Array(items) => items.iter().map(count).sum(),
            Value::Object(fields) => fields.values().map(count).sum(),
            _ => 0,
        }
    }
    serde_json::to_value(sample).map_or(0, |value| count(&value).saturating_sub(2))
}

/// Bytes of the journal's files and of the others.
fn by_kind(folder: &Path) -> BTreeMap<&'static str, u64> {
    let mut kinds = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let Ok(data) = entry.metadata() else { continue };
            if data.is_dir() {
                folders.push(entry.path());
                continue;
            }
            let journal = entry.path().extension().is_some_and(|ending| ending == "jnl");
            *kinds
                .entry(if journal { "journal" } else { "tables" })
                .or_default() += data.len();
        }
    }
    kinds
}
