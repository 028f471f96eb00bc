//! A store over its limit of bytes: the oldest seconds go first and live on as minutes, the log says so, and nothing
//! newer is lost, nor what comes in meanwhile.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

#[path = "store_contract/fixture.rs"]
#[expect(dead_code, reason = "the contract suite uses the rest")]
mod fixture;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use fixture::{NOON, batch, host, sample_at};
use metric_flow_protocol::metrics::Sample;
use socket_server::{
    history::{HistoryRequest, query},
    store::{Resolution, Store as _, TransferStore as _, embedded::EmbeddedStore, retention::Retention},
};
use tokio_util::sync::CancellationToken;
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

const HOUR_MS: i64 = 3_600_000;
const SECONDS: u64 = 3 * 3_600;
/// When the upkeep runs: the last sample is a second old.
const NOW: i64 = NOON + 3 * HOUR_MS;
const LOAD: &str = "load_one_minute";

/// The messages of the log.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Visit for Log {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            lines.push(format!("{value:?}"));
        }
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("socket_server")
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &Event<'_>) {
        event.record(&mut self.clone());
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

async fn open(folder: &Path, bytes_max: Option<u64>) -> EmbeddedStore {
    let retention = Retention {
        bytes_max,
        ..Retention::default()
    };
    EmbeddedStore::open(folder, retention).await.expect("opens")
}

/// A store with three hours of readings without a pattern, so that each second weighs something. All of it is in files,
/// which are what is counted: a copy has nothing in memory.
async fn three_hours(folder: &Path) -> PathBuf {
    let noise = |seq: u64, salt: u64| {
        let mixed = (seq + salt).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 40) as f32 / 16.0
    };
    let reading = |seq: u64| {
        let mut sample: Sample = sample_at(seq, NOON + i64::try_from(seq).expect("small") * 1_000);
        if let Some(load) = &mut sample.load {
            load.one_minute = noise(seq, 1);
            load.five_minutes = noise(seq, 2);
            load.fifteen_minutes = noise(seq, 3);
        }
        sample
    };
    let store = open(&folder.join("filled"), None).await;
    let mut all = batch("one", []);
    all.samples = (0..SECONDS).map(reading).collect();
    store.append(&[all]).await.expect("appends");
    store.maintain(NOW + HOUR_MS).await.expect("packs");
    let copy = folder.join("copy");
    store.duplicate(&copy, &CancellationToken::new()).expect("copies");
    copy
}

async fn seconds(store: &EmbeddedStore, from_unix_ms: i64) -> Vec<i64> {
    let (one, series) = (host("one", "ada"), [LOAD.to_owned()]);
    let rows = store.history(
        &one.id,
        &series,
        Resolution::Second,
        from_unix_ms,
        i64::MAX,
        100_000,
    );
    rows.await
        .expect("reads")
        .iter()
        .map(|row| row.time_unix_ms)
        .collect()
}

/// Opens the store with less and less room until the upkeep has to drop something.
async fn squeezed(folder: &Path) -> (EmbeddedStore, i64) {
    let mut bytes_max = 1 << 20;
    loop {
        let store = open(folder, Some(bytes_max)).await;
        store.maintain(NOW).await.expect("maintains");
        let kept_from = store.kept_from(Resolution::Second).await.expect("reads");
        if kept_from > NOON {
            return (store, kept_from);
        }
        drop(store);
        bytes_max = bytes_max / 4 * 3;
        assert!(bytes_max > 1_000, "nothing was ever dropped");
    }
}

/// One test of both: a line of the log that another thread, on which nobody collects, comes upon first is not collected.
#[tokio::test]
async fn over_the_limit_of_bytes_the_oldest_goes_and_nothing_newer() {
    the_oldest_seconds_go_first_and_live_on_as_minutes_and_the_log_says_so().await;
    what_comes_in_while_the_oldest_goes_is_kept().await;
}

async fn the_oldest_seconds_go_first_and_live_on_as_minutes_and_the_log_says_so() {
    let folder = tempfile::tempdir().expect("makes a folder");
    let filled = three_hours(folder.path()).await;
    let log = Log::default();
    let _collecting = tracing::subscriber::set_default(log.clone());
    let (store, kept_from) = squeezed(&filled).await;

    assert!(kept_from <= NOW - HOUR_MS, "the newest hour stays");
    let expected: Vec<i64> = (kept_from..NOW).step_by(1_000).collect();
    assert_eq!(seconds(&store, 0).await, expected);
    let one = host("one", "ada");
    let series = [LOAD.to_owned()];
    let minutes = store.history(&one.id, &series, Resolution::Minute, NOON, NOW, 1_000);
    let minutes = minutes.await.expect("reads");
    assert_eq!(minutes.len(), 3 * 60);
    assert!(minutes.iter().all(|minute| minute.samples == 60));

    // The same as a page sees it: the oldest minutes are there, and nothing counts as missing.
    let asked = HistoryRequest {
        series: vec![LOAD.to_owned()],
        from_unix_ms: NOON,
        to_unix_ms: NOW,
        points: 5_000,
    };
    let seen = query(&store, &one, &asked, NOW).await.expect("answers");
    assert_eq!((seen.step_ms, seen.gaps.len()), (60_000, 0), "{:?}", seen.gaps);
    let lines = log.lines();
    assert!(
        lines.iter().any(|line| line.contains("over its limit of bytes")),
        "{lines:?}"
    );
}

async fn what_comes_in_while_the_oldest_goes_is_kept() {
    let folder = tempfile::tempdir().expect("makes a folder");
    let filled = three_hours(folder.path()).await;
    let store = Arc::new(open(&filled, Some(10_000)).await);
    let ending = CancellationToken::new();
    let writing = tokio::spawn({
        let (store, ending) = (Arc::clone(&store), ending.clone());
        async move {
            let mut next = SECONDS;
            while !ending.is_cancelled() {
                store.append(&[batch("one", [next])]).await.expect("appends");
                next += 1;
            }
            next
        }
    });
    store.maintain(NOW).await.expect("maintains");
    ending.cancel();
    let next = writing.await.expect("goes on");
    assert!(store.kept_from(Resolution::Second).await.expect("reads") > NOON);
    let end = NOON + i64::try_from(next).expect("small") * 1_000;
    let expected: Vec<i64> = (NOW..end).step_by(1_000).collect();
    assert_eq!(seconds(&store, NOW).await, expected);
    let settled = store
        .settled(&host("one", "ada").id, "epoch-1")
        .await
        .expect("reads");
    assert_eq!(settled.iter().collect::<Vec<_>>(), [(0, next - 1)]);
}
