//! From a store to a file.

use std::{collections::BTreeMap, path::Path};

use metric_flow_protocol::metrics::Sample;

use super::{
    Report, TransferError,
    format::{
        DroppedItem, EXPORT_FILE, Item, KeptFrom, PAGE_SAMPLES_MAX, RollupPage, SamplePage, SettledItem,
    },
    writer::ExportWriter,
};
use crate::store::{HostId, HostRecord, Resolution, SAMPLE_WINDOW_MS, TransferStore, rollup::step_start};

/// Hours that are read at a time.
const DAY_MS: i64 = 86_400_000;

/// Writes everything but log-ins to a file, or to [`EXPORT_FILE`] in a folder. What hosts send meanwhile may be
/// in it or not; nothing counts as settled in it whose sample it does not hold.
///
/// # Errors
/// When the store or the file fails, or the file exists.
pub async fn export(store: &dyn TransferStore, path: &Path) -> Result<Report, TransferError> {
    let path = &place(path);
    let mut writer = ExportWriter::create(path)?;
    let hosts = store.all_hosts().await?;
    // Before the samples: what is settled later may have come after they were read.
    let settled = settled(store, &hosts).await?;
    let accounts = store.accounts().await?;
    for account in &accounts {
        writer.write(&Item::Account(account.clone()))?;
    }
    for account in &accounts {
        for key in store.api_keys(&account.id).await? {
            writer.write(&Item::ApiKey(key))?;
        }
    }
    let samples_from = store.kept_from(Resolution::Second).await?;
    for resolution in [Resolution::Second, Resolution::Minute, Resolution::Hour] {
        let time_unix_ms = store.kept_from(resolution).await?;
        if time_unix_ms > i64::MIN {
            writer.write(&Item::KeptFrom(KeptFrom {
                resolution,
                time_unix_ms,
            }))?;
        }
    }
    for host in &hosts {
        writer.write(&Item::Host(Box::new(host.clone())))?;
    }
    for host in &hosts {
        let minutes = (Resolution::Minute, Resolution::Hour.step_ms());
        for (resolution, span) in [minutes, (Resolution::Hour, DAY_MS)] {
            write_rollups(store, &mut writer, &host.id, resolution, span, samples_from).await?;
        }
    }
    for host in &hosts {
        write_samples(store, &mut writer, &host.id, samples_from).await?;
    }
    for host in &hosts {
        for (epoch, range) in store.dropped_by_epoch(&host.id).await? {
            let host = host.id.0.clone();
            writer.write(&Item::Dropped(DroppedItem { host, epoch, range }))?;
        }
    }
    for item in settled {
        writer.write(&Item::Settled(item))?;
    }
    for account in &accounts {
        for event in store
            .deploy_events(&account.id, i64::MIN, i64::MAX, usize::MAX)
            .await?
        {
            writer.write(&Item::DeployEvent(event))?;
        }
    }
    for host in &hosts {
        for answer in store.answers(&host.id).await? {
            writer.write(&Item::Answer(answer))?;
        }
    }
    writer.finish()
}

/// The file that a path means.
pub(super) fn place(path: &Path) -> std::path::PathBuf {
    if path.is_dir() {
        path.join(EXPORT_FILE)
    } else {
        path.to_owned()
    }
}

async fn settled(store: &dyn TransferStore, hosts: &[HostRecord]) -> Result<Vec<SettledItem>, TransferError> {
    let mut items = Vec::new();
    for host in hosts {
        for (epoch, ranges) in store.epochs(&host.id).await? {
            items.push(SettledItem {
                host: host.id.0.clone(),
                epoch,
                ranges: ranges.iter().collect(),
            });
        }
    }
    Ok(items)
}

/// Roll-ups before an instant: later ones are made again from their samples.
async fn write_rollups(
    store: &dyn TransferStore,
    writer: &mut ExportWriter,
    host: &HostId,
    resolution: Resolution,
    span: i64,
    before: i64,
) -> Result<(), TransferError> {
    let mut from = i64::MIN;
    while from < before {
        let Some(next) = store.next_rollup(host, resolution, from).await? else {
            return Ok(());
        };
        let start = step_start(next.max(from), span).max(from);
        let end = step_start(start, span).saturating_add(span);
        if start >= before {
            return Ok(());
        }
        let rollup = store.rollups(host, resolution, start, end.min(before)).await?;
        if !rollup.steps.is_empty() {
            let page = RollupPage::new(&host.0, resolution, rollup);
            writer.write(&Item::Rollups(page))?;
        }
        from = end;
    }
    Ok(())
}

async fn write_samples(
    store: &dyn TransferStore,
    writer: &mut ExportWriter,
    host: &HostId,
    from: i64,
) -> Result<(), TransferError> {
    let mut from = from;
    while from < i64::MAX {
        let Some(window) = store.next_window(host, from).await? else {
            return Ok(());
        };
        let (start, end) = (window.max(from), window.saturating_add(SAMPLE_WINDOW_MS));
        let mut epochs: BTreeMap<String, Vec<Sample>> = BTreeMap::new();
        for numbered in store.samples(host, start, end).await? {
            epochs.entry(numbered.epoch).or_default().push(numbered.sample);
        }
        for (epoch, samples) in epochs {
            for samples in samples.chunks(PAGE_SAMPLES_MAX) {
                writer.write(&Item::Samples(SamplePage {
                    host: host.0.clone(),
                    epoch: epoch.clone(),
                    samples: samples.to_vec(),
                }))?;
            }
        }
        from = end.max(start.saturating_add(1));
    }
    Ok(())
}
