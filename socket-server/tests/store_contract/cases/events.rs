//! Rollouts and answers.

use std::sync::Arc;

use metric_flow_protocol::deploy::{DeployEvent, DeployOutcome};
use socket_server::store::{AnswerRecord, DeployRecord, Store};

use crate::fixture::{NOON, account, answer, batch, deploy_event, host};

async fn releases(store: &Arc<dyn Store>, owner: &str, limit: usize) -> Vec<String> {
    let found = store
        .deploy_events(&account(owner).id, NOON, NOON + 5_000, limit)
        .await
        .expect("lists");
    found.into_iter().map(|record| record.event.release_id).collect()
}

pub(crate) async fn rollouts_are_listed_by_start_within_the_window(store: Arc<dyn Store>) {
    for (release, start) in [("d", 4_999), ("b", 1), ("a", 0), ("before", -1), ("after", 5_000)] {
        store
            .put_deploy_event(deploy_event(release, "ada", NOON + start))
            .await
            .expect("puts");
    }
    let other = deploy_event("bobs", "bob", NOON + 2);
    store.put_deploy_event(other).await.expect("puts");
    assert_eq!(releases(&store, "ada", 100).await, ["a", "b", "d"]);
    assert_eq!(releases(&store, "ada", 2).await, ["b", "d"]);
    assert_eq!(releases(&store, "bob", 100).await, ["bobs"]);
    store.maintain(NOON + 86_400_000).await.expect("maintains");
    assert_eq!(releases(&store, "ada", 100).await, ["a", "b", "d"]);
}

pub(crate) async fn a_rollout_told_again_is_one_rollout_with_its_latest_outcome(store: Arc<dyn Store>) {
    let began = deploy_event("r/1", "ada", NOON);
    let ended = DeployRecord {
        event: DeployEvent {
            finished_unix_ms: Some(NOON + 7),
            outcome: DeployOutcome::RolledBack,
            ..began.event.clone()
        },
        ..began.clone()
    };
    let mut elsewhere = began.clone();
    elsewhere.event.host = Some("beta".to_owned());
    for event in [&began, &elsewhere, &ended] {
        store.put_deploy_event(event.clone()).await.expect("puts");
    }
    let mut found = store
        .deploy_events(&account("ada").id, NOON, NOON + 1, 100)
        .await
        .expect("lists");
    found.sort_by_key(|record| record.event.host.clone());
    assert_eq!(found, [ended, elsewhere]);
}

pub(crate) async fn the_last_answer_to_each_question_is_kept(store: Arc<dyn Store>) {
    for (name, kind, time) in [
        ("one", "processes", 3),
        ("one", "disks", 2),
        ("one", "processes", 1),
        ("two", "processes", 9),
    ] {
        store
            .put_answer(answer(name, kind, NOON + time))
            .await
            .expect("puts");
    }
    let id = host("one", "ada").id;
    let both = [
        answer("one", "disks", NOON + 2),
        answer("one", "processes", NOON + 3),
    ];
    assert_eq!(store.answers(&id).await.expect("lists"), both);
    let newer = AnswerRecord {
        body: serde_json::json!({ "largest": i64::MAX, "share": 0.25, "none": null, "list": ["a.b", "$c"] }),
        ..answer("one", "processes", NOON + 4)
    };
    store.put_answer(newer.clone()).await.expect("puts");
    let found = store.answer(&id, "processes").await.expect("reads");
    assert_eq!(found.as_ref(), Some(&newer));
    assert_eq!(store.answer(&id, "os").await.expect("reads"), None);
    assert_eq!(store.answers(&id).await.expect("lists").len(), 2);
}

pub(crate) async fn an_answer_outlives_the_samples_of_its_time(store: Arc<dyn Store>) {
    store.put_host(host("one", "ada")).await.expect("puts");
    store.append(&[batch("one", [1])]).await.expect("appends");
    let told = answer("one", "os", NOON);
    store.put_answer(told.clone()).await.expect("puts");
    store.maintain(NOON + 40 * 86_400_000).await.expect("maintains");
    let found = store.answer(&host("one", "ada").id, "os").await.expect("reads");
    assert_eq!(found, Some(told));
}

pub(crate) async fn a_deleted_host_takes_its_answers_along(store: Arc<dyn Store>) {
    for name in ["one", "two"] {
        store.put_host(host(name, "ada")).await.expect("puts");
        store.append(&[batch(name, [1])]).await.expect("appends");
        store.put_answer(answer(name, "os", NOON)).await.expect("puts");
    }
    let (one, two) = (host("one", "ada").id, host("two", "ada").id);
    store
        .delete_host(&account("ada").id, &one)
        .await
        .expect("deletes");
    assert_eq!(store.answers(&one).await.expect("lists"), []);
    assert_eq!(store.answers(&two).await.expect("lists").len(), 1);
}
