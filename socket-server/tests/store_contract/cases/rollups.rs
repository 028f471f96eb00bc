//! Roll-ups: they say the same as the samples, before and after maintenance, and with late samples.

use std::sync::Arc;

use socket_server::store::{HistoryRow, Resolution, Store};

use crate::fixture::{NOON, batch, host};

/// Late enough that every bucket of the cases is complete, early enough that nothing is past retention.
const HOURS_LATER: i64 = NOON + 3 * 3_600_000;

async fn rows(store: &dyn Store, resolution: Resolution) -> Vec<HistoryRow> {
    let series = [
        "load_one_minute".to_owned(),
        "interface_received_bytes_per_second:eth0".to_owned(),
        "cpu_used_percent".to_owned(),
    ];
    let id = host("one", "ada").id;
    let rows = store
        .history(&id, &series, resolution, NOON, NOON + 2 * 3_600_000, 10_000)
        .await;
    rows.expect("reads history")
}

pub(crate) async fn minutes_hold_min_max_sum_last_and_count(store: Arc<dyn Store>) {
    store.append(&[batch("one", 0..150)]).await.expect("appends");
    for maintained in [false, true] {
        let minutes = rows(&*store, Resolution::Minute).await;
        let times: Vec<i64> = minutes
            .iter()
            .map(|row| (row.time_unix_ms - NOON) / 60_000)
            .collect();
        assert_eq!(times, [0, 1, 2], "maintained: {maintained}");
        assert_eq!(
            minutes.iter().map(|row| row.samples).collect::<Vec<_>>(),
            [60, 60, 30]
        );
        let load = minutes[1].values[0].expect("has a load");
        assert_eq!(
            (load.min, load.max, load.last, load.count),
            (60.0, 119.0, 119.0, 60)
        );
        assert!(
            (load.sum - (60..120).sum::<i32>() as f64).abs() < 1e-6,
            "{load:?}"
        );
        let first = minutes[0].values[1].expect("has a rate");
        assert_eq!((first.min, first.max, first.count), (100.0, 100.0, 59));
        let second = minutes[1].values[1].expect("has a rate");
        assert_eq!(
            second.count, 60,
            "the rate at the start of a minute needs the minute before"
        );
        store.maintain(HOURS_LATER).await.expect("maintains");
    }
}

pub(crate) async fn hours_hold_what_minutes_hold(store: Arc<dyn Store>) {
    // Ten minutes from the end of one hour into the next.
    store
        .append(&[batch("one", 3_300..3_900)])
        .await
        .expect("appends");
    for maintained in [false, true] {
        let hours = rows(&*store, Resolution::Hour).await;
        assert_eq!(
            hours
                .iter()
                .map(|row| row.time_unix_ms - NOON)
                .collect::<Vec<_>>(),
            [0, 3_600_000]
        );
        assert_eq!(
            hours.iter().map(|row| row.samples).collect::<Vec<_>>(),
            [300, 300]
        );
        let load = hours[1].values[0].expect("has a load");
        assert_eq!(
            (load.min, load.max, load.count),
            (3_600.0, 3_899.0, 300),
            "maintained: {maintained}"
        );
        assert_eq!(hours[1].values[1].expect("has a rate").count, 300);
        store.maintain(HOURS_LATER).await.expect("maintains");
    }
}

pub(crate) async fn maintenance_changes_no_answer(store: Arc<dyn Store>) {
    store
        .append(&[batch("one", (0..700).chain(1_300..1_400))])
        .await
        .expect("appends");
    let all = [Resolution::Second, Resolution::Minute, Resolution::Hour];
    let mut before = Vec::new();
    for resolution in all {
        before.push(rows(&*store, resolution).await);
    }
    let id = host("one", "ada").id;
    let names = store
        .series_names(&id, NOON, NOON + 3_600_000)
        .await
        .expect("names");
    store.maintain(HOURS_LATER).await.expect("maintains");
    store
        .maintain(HOURS_LATER + 60_000)
        .await
        .expect("maintains again");
    for (resolution, before) in all.into_iter().zip(before) {
        assert_eq!(rows(&*store, resolution).await, before, "{resolution:?}");
    }
    assert_eq!(
        store
            .series_names(&id, NOON, NOON + 3_600_000)
            .await
            .expect("names"),
        names
    );
    let settled = store.settled(&id, "epoch-1").await.expect("reads");
    assert_eq!(settled.contiguous_from(1_299), 1_399);
}

pub(crate) async fn late_samples_change_a_rolled_up_minute(store: Arc<dyn Store>) {
    let late = 20..640;
    store
        .append(&[batch("one", (0..20).chain(640..1_300))])
        .await
        .expect("appends");
    store.maintain(HOURS_LATER).await.expect("maintains");
    assert_eq!(rows(&*store, Resolution::Minute).await[0].samples, 20);
    store.append(&[batch("one", late)]).await.expect("appends");
    for maintained in [false, true] {
        let minutes = rows(&*store, Resolution::Minute).await;
        assert_eq!(minutes.len(), 22, "maintained: {maintained}");
        assert!(
            minutes[..21].iter().all(|row| row.samples == 60),
            "maintained: {maintained}"
        );
        for (minute, row) in minutes.iter().enumerate().skip(1) {
            let rate = row.values[1].expect("has a rate");
            assert_eq!(
                rate.count, row.samples,
                "minute {minute}, maintained: {maintained}"
            );
        }
        let hours = rows(&*store, Resolution::Hour).await;
        assert_eq!(hours[0].samples, 1_300, "maintained: {maintained}");
        assert_eq!(
            hours[0].values[1].expect("has a rate").count,
            1_299,
            "maintained: {maintained}"
        );
        store.maintain(HOURS_LATER).await.expect("maintains");
    }
}

pub(crate) async fn late_samples_after_maintenance_are_idempotent_too(store: Arc<dyn Store>) {
    store.append(&[batch("one", 0..100)]).await.expect("appends");
    store.maintain(HOURS_LATER).await.expect("maintains");
    store.append(&[batch("one", 50..120)]).await.expect("appends");
    store.maintain(HOURS_LATER).await.expect("maintains");
    store.append(&[batch("one", 0..120)]).await.expect("appends");
    let seconds = rows(&*store, Resolution::Second).await;
    assert_eq!(seconds.len(), 120);
    assert!(seconds.iter().all(|row| row.samples == 1));
    let minutes = rows(&*store, Resolution::Minute).await;
    assert_eq!(
        minutes.iter().map(|row| row.samples).collect::<Vec<_>>(),
        [60, 60]
    );
}
