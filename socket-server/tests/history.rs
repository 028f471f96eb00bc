//! Questions about the past, asked of a store.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

#[path = "store_contract/fixture.rs"]
#[expect(dead_code, reason = "the contract suite uses the rest")]
mod fixture;

use fixture::{NOON, batch, host};
use metric_flow_protocol::series::GapReason;
use socket_server::{
    history::{FleetAggregate, FleetRequest, HistoryError, HistoryRequest, fleet, query},
    store::{Store, memory::MemoryStore},
};

fn request(series: &str, seconds: i64, points: usize) -> HistoryRequest {
    HistoryRequest {
        series: vec![series.to_owned()],
        from_unix_ms: NOON,
        to_unix_ms: NOON + seconds * 1_000,
        points,
    }
}

#[tokio::test]
async fn every_second_is_there_and_a_hole_is_told_with_its_reason() {
    let store = MemoryStore::default();
    store
        .append(&[batch("one", (0..60).chain(80..120))])
        .await
        .expect("appends");
    let asked = request("load_one_minute", 120, 120);
    let one = host("one", "ada");
    let found = query(&store, &one, &asked, NOON + 120_000)
        .await
        .expect("answers");
    assert_eq!(found.step_ms, 1_000);
    assert_eq!(found.times_unix_ms.len(), 120);
    assert_eq!(found.columns[0].mean[59], Some(59.0));
    assert_eq!(found.columns[0].mean[60], None);
    assert_eq!(found.coverage[60], 0.0);
    assert_eq!(found.gaps.len(), 1, "{:?}", found.gaps);
    assert_eq!(
        (found.gaps[0].from_unix_ms, found.gaps[0].to_unix_ms),
        (NOON + 60_000, NOON + 80_000)
    );
    assert_eq!(found.gaps[0].reason, GapReason::NotReceived);
    store.append(&[batch("one", 60..80)]).await.expect("appends");
    let found = query(&store, &one, &asked, NOON + 120_000)
        .await
        .expect("answers");
    assert_eq!(found.gaps, []);
    assert!(found.coverage.iter().all(|share| *share == 1.0));
}

#[tokio::test]
async fn a_host_that_is_new_is_not_taken_for_one_that_was_away() {
    let store = MemoryStore::default();
    store.append(&[batch("one", 0..60)]).await.expect("appends");
    let mut asked = request("load_one_minute", 60, 900);
    asked.from_unix_ms = NOON - 600_000;
    let mut one = host("one", "ada");
    let found = query(&store, &one, &asked, NOON + 60_000).await.expect("answers");
    assert_eq!(found.gaps, []);
    one.created_unix_ms = NOON - 3_600_000;
    let found = query(&store, &one, &asked, NOON + 60_000).await.expect("answers");
    assert_eq!(found.gaps.len(), 1, "{:?}", found.gaps);
    let gap = &found.gaps[0];
    assert_eq!(
        (gap.from_unix_ms, gap.to_unix_ms, gap.reason),
        (NOON - 600_000, NOON, GapReason::ClientNotRunning)
    );
}

#[tokio::test]
async fn fewer_points_keep_the_peaks() {
    let store = MemoryStore::default();
    store.append(&[batch("one", 0..600)]).await.expect("appends");
    let asked = request("load_one_minute", 600, 10);
    let found = query(&store, &host("one", "ada"), &asked, NOON + 600_000)
        .await
        .expect("answers");
    assert_eq!(found.step_ms, 60_000);
    let column = &found.columns[0];
    assert_eq!(
        (column.min[3], column.max[3], column.mean[3]),
        (Some(180.0), Some(239.0), Some(209.5))
    );
}

#[tokio::test]
async fn questions_without_sense_are_refused_in_words() {
    let store = MemoryStore::default();
    store.append(&[batch("one", 0..10)]).await.expect("appends");
    let one = host("one", "ada");
    let refused = query(&store, &one, &request("load_one_minute", 0, 10), NOON).await;
    assert!(
        matches!(refused, Err(HistoryError::EmptyRange { .. })),
        "{refused:?}"
    );
    let refused = query(&store, &one, &request("load_one_minute", 10, 1_000_000), NOON).await;
    assert!(matches!(refused, Err(HistoryError::Points { .. })), "{refused:?}");
    let refused = query(&store, &one, &request("load_one_minut", 10, 10), NOON).await;
    let words = refused.expect_err("is refused").to_string();
    assert!(words.contains("did you mean load_one_minute?"), "{words}");
}

#[tokio::test]
async fn the_fleet_is_put_together_by_label() {
    let store = MemoryStore::default();
    store
        .append(&[batch("one", 0..10), batch("two", 0..10)])
        .await
        .expect("appends");
    let mut two = host("two", "ada");
    two.given_labels.insert("role".to_owned(), "web".to_owned());
    let mut asked = FleetRequest {
        series: "load_one_minute".to_owned(),
        from_unix_ms: NOON,
        to_unix_ms: NOON + 10_000,
        points: 10,
        aggregate: FleetAggregate::Sum,
        by: None,
    };
    let hosts = [host("one", "ada"), two];
    let whole = fleet(&store, &hosts, &asked).await.expect("answers");
    assert_eq!(whole.groups.len(), 1);
    assert_eq!(whole.groups[0].values[4], Some(8.0));
    asked.by = Some("role".to_owned());
    let by_role = fleet(&store, &hosts, &asked).await.expect("answers");
    let labels: Vec<&str> = by_role.groups.iter().map(|group| group.label.as_str()).collect();
    assert_eq!(labels, ["db", "web"]);
}
