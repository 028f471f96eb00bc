//! Moving: a store can be read whole and filled again.

use std::{collections::BTreeMap, sync::Arc};

use metric_flow_protocol::series::GapReason;
use socket_server::{
    store::{
        DroppedRecord, EventStore as _, Resolution, SAMPLE_WINDOW_MS, Store as _, TransferStore,
        memory::MemoryStore, rollup::Rollup,
    },
    transfer::{export, import},
};

use crate::fixture::{NOON, account, answer, api_key, batch, deploy_event, host, sample, sample_at};

pub(crate) async fn what_is_moved_in_and_out_again_is_the_same(store: Arc<dyn TransferStore>) {
    let folder = tempfile::tempdir().expect("makes a folder");
    let (into, out) = (folder.path().join("into"), folder.path().join("out"));
    let source = MemoryStore::default();
    source
        .create_account(account("Ada"), false)
        .await
        .expect("creates");
    let ada = account("Ada").id;
    let mut key = api_key("one", "Ada");
    key.last_used_unix_ms = Some(NOON);
    source.create_api_key(key).await.expect("creates");
    source.put_host(host("one", "Ada")).await.expect("puts");
    let mut first = batch("one", (1..=3).chain(700..=702));
    first.account = ada.clone();
    first.dropped.push(DroppedRecord {
        first_seq: 4,
        last_seq: 6,
        from_unix_ms: NOON + 4_000,
        to_unix_ms: NOON + 6_000,
        reason: GapReason::DiskFailed,
    });
    let mut second = batch("one", []);
    second.account = ada.clone();
    second.epoch = "epoch/2".to_owned();
    second.samples = vec![sample_at(1, NOON + 2_500)];
    source.append(&[first, second]).await.expect("appends");
    let id = host("one", "Ada").id;
    let expired = [(20, 30)].into_iter().collect();
    source.settle(&id, "epoch-1", &expired).await.expect("settles");

    let event = deploy_event("r1", "Ada", NOON);
    source.put_deploy_event(event).await.expect("puts");
    let told = answer("one", "os", NOON + 1);
    source.put_answer(told).await.expect("puts");

    export(&source, &into).await.expect("exports");
    import(&*store, &into).await.expect("imports");
    let again = import(&*store, &into).await.expect("imports again");
    assert!(again.sections.iter().all(|moved| moved.new == 0), "{again:?}");
    export(&*store, &out).await.expect("exports");
    let target = MemoryStore::default();
    import(&target, &out).await.expect("imports");

    for moved in [&*store, &target as &dyn TransferStore] {
        assert_eq!(
            moved.accounts().await.expect("lists"),
            source.accounts().await.expect("lists")
        );
        assert_eq!(
            moved.api_keys(&ada).await.expect("lists"),
            source.api_keys(&ada).await.expect("lists")
        );
        assert_eq!(
            moved.all_hosts().await.expect("lists"),
            source.all_hosts().await.expect("lists")
        );
        assert_eq!(
            moved.epochs(&id).await.expect("lists"),
            source.epochs(&id).await.expect("lists")
        );
        assert_eq!(
            moved.dropped_by_epoch(&id).await.expect("lists"),
            source.dropped_by_epoch(&id).await.expect("lists")
        );
        let window = (NOON, NOON + 3_600_000);
        assert_eq!(
            moved
                .deploy_events(&ada, window.0, window.1, 9)
                .await
                .expect("lists"),
            source
                .deploy_events(&ada, window.0, window.1, 9)
                .await
                .expect("lists")
        );
        assert_eq!(
            moved.answers(&id).await.expect("lists"),
            source.answers(&id).await.expect("lists")
        );
        assert_eq!(
            moved.samples(&id, window.0, window.1).await.expect("reads"),
            source.samples(&id, window.0, window.1).await.expect("reads")
        );
    }
}

pub(crate) async fn windows_lead_from_samples_to_samples(store: Arc<dyn TransferStore>) {
    let mut rows = batch("one", [1, 2]);
    let later = NOON + 5 * SAMPLE_WINDOW_MS;
    rows.samples.push(sample_at(3, later + 1));
    store
        .append(&[rows, batch("one1", [700])])
        .await
        .expect("appends");
    let id = host("one", "ada").id;
    for _ in 0..2 {
        let mut found = Vec::new();
        let mut from = i64::MIN;
        while let Some(window) = store.next_window(&id, from).await.expect("looks") {
            found.push(window);
            from = window + SAMPLE_WINDOW_MS;
        }
        assert_eq!(found, [NOON, later]);
        store.maintain(later).await.expect("maintains");
    }
}

pub(crate) async fn roll_ups_are_added_once_and_read_back(store: Arc<dyn TransferStore>) {
    let id = host("one", "ada").id;
    let samples: Vec<_> = (0..1_200).map(sample).collect();
    for resolution in [Resolution::Minute, Resolution::Hour] {
        let rollup = Rollup::of_samples(&samples, resolution, i64::MIN);
        let steps = rollup.steps.len();
        let half = Rollup {
            steps: rollup
                .steps
                .clone()
                .into_iter()
                .take(steps / 2)
                .collect::<BTreeMap<_, _>>(),
        };
        let added = store.add_rollups(&id, resolution, &half).await.expect("adds");
        assert_eq!(added, (steps / 2) as u64);
        let added = store.add_rollups(&id, resolution, &rollup).await.expect("adds");
        assert_eq!(added, (steps - steps / 2) as u64);
        let added = store.add_rollups(&id, resolution, &rollup).await.expect("adds");
        assert_eq!(added, 0);
        let next = store.next_rollup(&id, resolution, i64::MIN).await.expect("looks");
        assert!(next.is_some_and(|next| next <= NOON), "{next:?}");
        let next = store.next_rollup(&id, resolution, NOON + 86_400_000).await;
        assert_eq!(next.expect("looks"), None);
        let read = store.rollups(&id, resolution, NOON, NOON + 3_600_000).await;
        assert_eq!(read.expect("reads"), rollup);
        let first = store
            .rollups(&id, resolution, NOON, NOON + 60_000)
            .await
            .expect("reads");
        assert_eq!(first.steps.into_keys().collect::<Vec<_>>(), [NOON]);
    }
}

pub(crate) async fn what_is_kept_only_moves_forward(store: Arc<dyn TransferStore>) {
    let hour = 3_600_000;
    for (raised, kept) in [(NOON, NOON), (NOON - hour, NOON), (NOON + hour, NOON + hour)] {
        store
            .raise_kept_from(Resolution::Second, raised)
            .await
            .expect("raises");
        assert_eq!(store.kept_from(Resolution::Second).await.expect("reads"), kept);
    }
}
