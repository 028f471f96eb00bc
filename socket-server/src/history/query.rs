//! The past of one host.

use metric_flow_protocol::series::History;

use super::{
    HistoryError, HistoryRequest,
    columns::Steps,
    gaps::{Known, explain, missing},
    plan::{KeptFrom, Plan, plan},
};
use crate::store::{HistoryRow, HostRecord, Resolution, Store, StoreError};

/// Time between two samples of a host, in milliseconds: what node-clients do unless told otherwise.
const SAMPLE_INTERVAL_MS: i64 = 1_000;

/// A sample may be late by this before its second counts as missing, in milliseconds.
const GAP_TOLERANCE_MS: i64 = 1_500;

/// Rows read at a time, so that a long window needs little memory.
const WINDOW_ROWS: i64 = 3_600;

/// Rows at one resolution that a window can hold at most: hosts may sample faster than once a second.
const WINDOW_ROWS_MAX: usize = 200_000;

/// Answers a question about the past of one host at `now_unix_ms`.
///
/// # Errors
/// When the question makes no sense, names a series that the host has not, or the store fails.
pub async fn query(
    store: &dyn Store,
    host: &HostRecord,
    request: &HistoryRequest,
    now_unix_ms: i64,
) -> Result<History, HistoryError> {
    request.check()?;
    let (from, to) = (request.from_unix_ms, request.to_unix_ms);
    let kept = kept_from(store).await?;
    let plan = plan(from, to, request.points, request.series.len(), kept);
    let mut steps = Steps::new(&plan, request.series.len());
    let mut starts: Vec<i64> = Vec::new();
    let (mut newest, mut any_value) = (i64::MIN, vec![false; request.series.len()]);
    for_each_row(store, host, &request.series, &plan, from, to, |row| {
        steps.add(row);
        newest = newest.max(row.time_unix_ms);
        starts.push(row.time_unix_ms);
        for (any, value) in any_value.iter_mut().zip(&row.values) {
            *any |= value.is_some();
        }
    })
    .await?;
    if let Some(unknown) = any_value
        .iter()
        .position(|any| !any)
        .filter(|_| !starts.is_empty())
    {
        check_known(store, host, &request.series[unknown], from, to).await?;
    }
    let end = to.min(now_unix_ms).max(from);
    let covers = match plan.resolution {
        Resolution::Second => SAMPLE_INTERVAL_MS,
        rolled => rolled.step_ms(),
    };
    let first = starts.first().copied();
    let gaps = missing(starts, covers, GAP_TOLERANCE_MS, from, end);
    let (dropped, settled) = tokio::try_join!(
        store.dropped(&host.id, from, to),
        store.settled(&host.id, &host.epoch)
    )?;
    let complete = settled.iter().count() <= 1 && settled.contiguous_from(0) > 0;
    // A window that reaches back to before the host came, of which nothing has gone since, holds its first sample.
    let reaches_back = from <= host.created_unix_ms && plan.kept_from_unix_ms <= host.created_unix_ms;
    let known = Known {
        kept_from: plan.kept_from_unix_ms,
        dropped: &dropped,
        complete_until: if complete { newest } else { i64::MIN },
        first_sample: first.filter(|_| complete && reaches_back).unwrap_or(i64::MIN),
    };
    Ok(History {
        host_id: host.id.0.clone(),
        from_unix_ms: from,
        to_unix_ms: to,
        step_ms: plan.step_ms,
        times_unix_ms: steps.times(),
        columns: steps.columns(&request.series),
        coverage: steps.coverage(from, end, SAMPLE_INTERVAL_MS),
        gaps: explain(&gaps, &known),
    })
}

pub(super) async fn kept_from(store: &dyn Store) -> Result<KeptFrom, StoreError> {
    let (raw, minutes, hours) = tokio::try_join!(
        store.kept_from(Resolution::Second),
        store.kept_from(Resolution::Minute),
        store.kept_from(Resolution::Hour)
    )?;
    Ok(KeptFrom { raw, minutes, hours })
}

/// Reads the rows of a window piece by piece.
pub(super) async fn for_each_row(
    store: &dyn Store,
    host: &HostRecord,
    series: &[String],
    plan: &Plan,
    from: i64,
    to: i64,
    mut visit: impl FnMut(&HistoryRow),
) -> Result<(), StoreError> {
    let row_ms = plan.resolution.step_ms();
    let window_ms = WINDOW_ROWS * row_ms;
    // A row that began before the window still tells of it.
    let mut begin = match plan.resolution {
        Resolution::Second => from,
        _ => from - from.rem_euclid(row_ms),
    };
    while begin < to {
        // A short window is one piece; the pieces of a long one end where chunks do.
        let end = if to.saturating_sub(begin) <= window_ms {
            to
        } else {
            begin.saturating_add(window_ms - begin.rem_euclid(window_ms))
        };
        let rows = store
            .history(&host.id, series, plan.resolution, begin, end, WINDOW_ROWS_MAX)
            .await?;
        rows.iter().for_each(&mut visit);
        begin = end;
    }
    Ok(())
}

/// Refuses a name that the host has not, and says which is the most similar; a counter's first value is known
/// without having a rate.
async fn check_known(
    store: &dyn Store,
    host: &HostRecord,
    name: &str,
    from: i64,
    to: i64,
) -> Result<(), HistoryError> {
    let known = store.series_names(&host.id, from, to).await?;
    if known.iter().any(|other| other == name) {
        return Ok(());
    }
    let likeness = |other: &String| (strsim::jaro_winkler(name, other) * 1_000.0) as u32;
    let nearest = known
        .into_iter()
        .max_by_key(likeness)
        .filter(|other| likeness(other) > 800);
    Err(HistoryError::UnknownSeries {
        name: name.to_owned(),
        nearest,
    })
}
