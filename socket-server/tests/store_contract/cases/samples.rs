//! Samples: what is stored once is there once, and where it belongs.

use std::sync::Arc;

use metric_flow_protocol::{metrics::Sample, series::GapReason};
use socket_server::store::{DroppedRecord, HistoryRow, Resolution, Store};

use crate::fixture::{NOON, batch, host, sample, sample_at};

async fn seconds(store: &dyn Store, host_name: &str, series: &[&str], from: i64, to: i64) -> Vec<HistoryRow> {
    let series: Vec<String> = series.iter().map(ToString::to_string).collect();
    let id = host(host_name, "ada").id;
    let rows = store
        .history(&id, &series, Resolution::Second, from, to, 10_000)
        .await;
    rows.expect("reads history")
}

fn times_after_noon(rows: &[HistoryRow]) -> Vec<i64> {
    rows.iter().map(|row| (row.time_unix_ms - NOON) / 1_000).collect()
}

pub(crate) async fn what_was_appended_is_read_back_by_time(store: Arc<dyn Store>) {
    let mut shuffled = batch("one", [3, 1, 2]);
    shuffled.samples.push(sample(9));
    store.append(&[shuffled]).await.expect("appends");
    let wanted = [
        "load_one_minute",
        "no_such_series",
        "memory_used_bytes",
        "file_system_used_bytes:/srv/a.b",
    ];
    let rows = seconds(&*store, "one", &wanted, NOON, NOON + 60_000).await;
    assert_eq!(times_after_noon(&rows), [1, 2, 3, 9]);
    for (row, seq) in rows.iter().zip([1_u32, 2, 3, 9]) {
        assert_eq!(row.samples, 1);
        let load = row.values[0].expect("has a load");
        assert_eq!((load.min, load.max, load.sum, load.last, load.count), {
            let value = f64::from(seq);
            (value, value, value, value, 1)
        });
        assert_eq!(row.values[1], None);
        let memory = row.values[2].expect("has memory");
        assert_eq!(memory.last, f64::from((1 << 30) + seq * 4096));
        assert_eq!(
            row.values[3].expect("has a file system").last,
            f64::from(1_u32 << 30) * 512.0
        );
    }
}

pub(crate) async fn batches_that_overlap_are_read_by_time(store: Arc<dyn Store>) {
    for first in [1, 2] {
        let half = batch("one", (first..=1_300).step_by(2));
        store.append(&[half]).await.expect("appends");
    }
    let (from, to) = (NOON + 550_000, NOON + 1_250_000);
    let rows = seconds(&*store, "one", &["load_one_minute"], from, to).await;
    assert_eq!(times_after_noon(&rows), (550..1_250).collect::<Vec<i64>>());
    for row in &rows {
        let load = row.values[0].expect("has a load");
        assert_eq!(load.last, ((row.time_unix_ms - NOON) / 1_000) as f64);
    }
}

pub(crate) async fn the_same_sample_twice_is_one_sample(store: Arc<dyn Store>) {
    store
        .append(&[batch("one", 1..=3), batch("one", 2..=4)])
        .await
        .expect("appends");
    let mut moved = batch("one", []);
    moved.samples.push(sample_at(4, NOON + 50_000));
    store.append(&[moved]).await.expect("appends");
    store.append(&[batch("one", 1..=4)]).await.expect("appends");
    let rows = seconds(&*store, "one", &["load_one_minute"], NOON, NOON + 60_000).await;
    assert_eq!(times_after_noon(&rows), [1, 2, 3, 4]);
    assert!(rows.iter().all(|row| row.samples == 1), "{rows:?}");
}

pub(crate) async fn the_same_sample_in_concurrent_appends_is_one_sample(store: Arc<dyn Store>) {
    let writers: Vec<_> = (0..8)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.append(&[batch("one", 1..=20)]).await })
        })
        .collect();
    for writer in writers {
        writer.await.expect("no writer panics").expect("appends");
    }
    let rows = seconds(&*store, "one", &["load_one_minute"], NOON, NOON + 60_000).await;
    assert_eq!(times_after_noon(&rows), (1..=20).collect::<Vec<i64>>());
    let settled = store
        .settled(&host("one", "ada").id, "epoch-1")
        .await
        .expect("reads");
    assert_eq!(settled.iter().collect::<Vec<_>>(), [(1, 20)]);
}

pub(crate) async fn settled_ranges_have_holes_until_they_are_filled(store: Arc<dyn Store>) {
    let id = host("one", "ada").id;
    store
        .append(&[batch("one", (1..=3).chain(7..=9))])
        .await
        .expect("appends");
    let settled = store.settled(&id, "epoch-1").await.expect("reads");
    assert_eq!(settled.iter().collect::<Vec<_>>(), [(1, 3), (7, 9)]);
    assert_eq!(settled.contiguous_from(0), 3);
    store.append(&[batch("one", 4..=6)]).await.expect("appends");
    let settled = store.settled(&id, "epoch-1").await.expect("reads");
    assert_eq!(settled.contiguous_from(0), 9);
}

pub(crate) async fn a_reported_drop_settles_its_range_and_is_listed(store: Arc<dyn Store>) {
    let id = host("one", "ada").id;
    let mut reported = batch("one", [1, 6]);
    reported.dropped.push(DroppedRecord {
        first_seq: 2,
        last_seq: 5,
        from_unix_ms: NOON + 2_000,
        to_unix_ms: NOON + 5_000,
        reason: GapReason::SpoolFull,
    });
    store.append(&[reported.clone()]).await.expect("appends");
    store.append(&[reported.clone()]).await.expect("appends again");
    let settled = store.settled(&id, "epoch-1").await.expect("reads");
    assert_eq!(settled.iter().collect::<Vec<_>>(), [(1, 6)]);
    let listed = store
        .dropped(&id, NOON + 5_000, NOON + 60_000)
        .await
        .expect("lists");
    assert_eq!(listed, reported.dropped);
    assert_eq!(
        store
            .dropped(&id, NOON + 5_001, NOON + 60_000)
            .await
            .expect("lists"),
        []
    );
    assert_eq!(
        store
            .dropped(&id, NOON - 9_000, NOON + 2_000)
            .await
            .expect("lists"),
        []
    );
    assert_eq!(
        store
            .dropped(&host("two", "ada").id, NOON, NOON + 60_000)
            .await
            .expect("lists"),
        []
    );
}

pub(crate) async fn epochs_are_settled_apart(store: Arc<dyn Store>) {
    let id = host("one", "ada").id;
    let mut second = batch("one", []);
    second.epoch = "epoch-2".to_owned();
    second.samples = vec![sample_at(1, NOON + 30_000)];
    store
        .append(&[batch("one", 1..=2), second])
        .await
        .expect("appends");
    let first = store.settled(&id, "epoch-1").await.expect("reads");
    assert_eq!(first.iter().collect::<Vec<_>>(), [(1, 2)]);
    let second = store.settled(&id, "epoch-2").await.expect("reads");
    assert_eq!(second.iter().collect::<Vec<_>>(), [(1, 1)]);
    let rows = seconds(&*store, "one", &["load_one_minute"], NOON, NOON + 60_000).await;
    assert_eq!(times_after_noon(&rows), [1, 2, 30]);
}

pub(crate) async fn hosts_are_kept_apart(store: Arc<dyn Store>) {
    // One name is the start of the other, which a careless key would mix.
    store
        .append(&[batch("one", 1..=2), batch("one1", 5..=5)])
        .await
        .expect("appends");
    let rows = seconds(&*store, "one", &["load_one_minute"], NOON, NOON + 60_000).await;
    assert_eq!(times_after_noon(&rows), [1, 2]);
    let rows = seconds(&*store, "one1", &["load_one_minute"], NOON, NOON + 60_000).await;
    assert_eq!(times_after_noon(&rows), [5]);
}

pub(crate) async fn counters_become_rates_and_a_reset_has_none(store: Arc<dyn Store>) {
    let mut rows = batch("one", 1..=3);
    let mut reset = sample(4);
    reset.interfaces[0].received_bytes_total = 50;
    let mut after = sample(6);
    after.interfaces[0].received_bytes_total = 450;
    rows.samples.extend([reset, after]);
    store.append(&[rows]).await.expect("appends");
    let series = ["interface_received_bytes_per_second:eth0"];
    let rows = seconds(&*store, "one", &series, NOON, NOON + 60_000).await;
    let rates: Vec<Option<f64>> = rows
        .iter()
        .map(|row| row.values[0].map(|value| value.last))
        .collect();
    assert_eq!(rates, [None, Some(100.0), Some(100.0), None, Some(200.0)]);
    // The rate of the first sample in a window comes from the one before the window.
    let rows = seconds(&*store, "one", &series, NOON + 3_000, NOON + 4_000).await;
    assert_eq!(rows[0].values[0].map(|value| value.last), Some(100.0));
}

pub(crate) async fn a_window_and_a_limit_hold(store: Arc<dyn Store>) {
    store.append(&[batch("one", 1..=30)]).await.expect("appends");
    let rows = seconds(&*store, "one", &["uptime_seconds"], NOON + 10_000, NOON + 20_000).await;
    assert_eq!(times_after_noon(&rows), (10..20).collect::<Vec<i64>>());
    let id = host("one", "ada").id;
    let series = ["uptime_seconds".to_owned()];
    let rows = store
        .history(&id, &series, Resolution::Second, NOON, NOON + 60_000, 7)
        .await;
    assert_eq!(
        times_after_noon(&rows.expect("reads")),
        (1..=7).collect::<Vec<i64>>()
    );
}

pub(crate) async fn series_are_named_within_the_window(store: Arc<dyn Store>) {
    let mut rows = batch("one", 1..=2);
    rows.samples.push(Sample {
        seq: 3,
        time_unix_ms: NOON + 3_600_000,
        uptime_seconds: Some(1.0),
        ..Sample::default()
    });
    store.append(&[rows]).await.expect("appends");
    let id = host("one", "ada").id;
    let names = store.series_names(&id, NOON, NOON + 60_000).await.expect("names");
    assert!(names.is_sorted(), "{names:?}");
    for name in [
        "core_used_percent:1",
        "file_system_used_bytes:/srv/a.b",
        "load_one_minute",
    ] {
        assert!(
            names.iter().any(|known| known == name),
            "{name} is not in {names:?}"
        );
    }
    let later = store
        .series_names(&id, NOON + 3_600_000, NOON + 3_660_000)
        .await
        .expect("names");
    assert_eq!(later, ["uptime_seconds"]);
}

pub(crate) async fn a_clock_that_is_years_off_hides_nothing(store: Arc<dyn Store>) {
    let decade = 10 * 365 * 86_400_000;
    let mut rows = batch("one", 1..=2);
    rows.samples.extend([
        sample_at(3, NOON - decade),
        sample_at(4, NOON + decade),
        sample_at(5, 0),
    ]);
    store.append(&[rows]).await.expect("appends");
    for (time, expected) in [(NOON - decade, 1), (NOON, 2), (NOON + decade, 1), (0, 1)] {
        let found = seconds(&*store, "one", &["uptime_seconds"], time, time + 60_000).await;
        assert_eq!(found.len(), expected, "at {time}");
    }
    let settled = store
        .settled(&host("one", "ada").id, "epoch-1")
        .await
        .expect("reads");
    assert_eq!(settled.contiguous_from(0), 5);
}

pub(crate) async fn a_counter_beyond_63_bits_keeps_nothing_from_being_stored(store: Arc<dyn Store>) {
    let mut rows = batch("one", [1, 2, 3]);
    if let Some(memory) = &mut rows.samples[1].memory {
        memory.total_bytes = u64::MAX;
    }
    for interface in &mut rows.samples[1].interfaces {
        interface.received_bytes_total = (1 << 63) + 5;
    }
    store.append(&[rows]).await.expect("appends");
    let id = host("one", "ada").id;
    let settled = store.settled(&id, "epoch-1").await.expect("reads");
    assert_eq!(settled.iter().collect::<Vec<_>>(), [(1, 3)]);
    let series = ["memory_used_bytes".to_owned()];
    let rows = store
        .history(&id, &series, Resolution::Second, NOON, NOON + 9_000, 10)
        .await
        .expect("reads");
    assert_eq!(rows.len(), 3);
    assert!(rows.iter().all(|row| row.values[0].is_some()), "{rows:?}");
}
