//! Questions about the past, over HTTP: a day of one host, a week of a hundred.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use socket_server::store::{
    AccountId, EmbeddedStore, HostId, HostRecord, Resolution, SampleBatch, SeriesAggregate, Store as _,
    TransferStore as _,
    retention::Retention,
    rollup::{Rollup, RollupStep},
};
use tokio::time::Instant;

use super::{ScenarioError, Stage};
use crate::{context::Context, load::simulated_sample, report::Figure};

/// Hosts with a week of minutes.
const HOSTS: usize = 100;
const WEEK_MINUTES: i64 = 7 * 24 * 60;
const DAY_MS: i64 = 86_400_000;
/// Hosts that have a day of seconds as well.
const HOSTS_WITH_SECONDS: usize = 4;
/// Each question is asked this often, after some that warm caches as a dashboard in use does.
const QUESTIONS: usize = 200;
const WARM_UP: usize = 10;
/// Questions about the whole fleet are longer.
const FLEET_QUESTIONS: usize = 60;
/// Series that take turns: a gauge, a counter's rate, one of many instances.
const SERIES: &[&str] = &[
    "cpu_used_percent",
    "memory_used_bytes",
    "interface_received_bytes_per_second:eth0",
    "load_one_minute",
    "core_used_percent:2",
];
/// Series of the week's minutes.
const WEEK_SERIES: &[&str] = &["cpu_used_percent", "memory_used_bytes", "load_one_minute"];

/// Fills a store and asks.
///
/// # Errors
/// When the store or the server fails.
pub async fn history(context: &Context) -> Result<Vec<Figure>, ScenarioError> {
    let stage = Stage::open(&context.program("socket-server")).await?;
    let account = stage.api.call(http::Method::GET, "/api/v1/account", None).await?;
    let account = AccountId(account["id"].as_str().unwrap_or_default().to_owned());
    let (stage, folder) = stage.stop().await;
    let now = now_unix_ms();
    context.say(format_args!(
        "filling: a week of minutes of {HOSTS} hosts, a day of seconds of {HOSTS_WITH_SECONDS}"
    ));
    let store = EmbeddedStore::open(&folder, Retention::default()).await?;
    fill(&store, &account, now).await?;
    drop(store);
    let stage = stage.start().await?;

    let day = format!("from={}&to={now}", now - DAY_MS);
    let week = format!("from={}&to={now}", now - 7 * DAY_MS);
    let host = |question: usize| format!("/api/v1/hosts/{}/history", host_id(question % HOSTS_WITH_SECONDS));
    let series = |question: usize| SERIES[question % SERIES.len()];
    let floor = ask(&stage, QUESTIONS, |_| "/healthz".to_owned()).await?;
    let of_day = ask(&stage, QUESTIONS, |n| {
        format!("{}?series={}&{day}&points=600", host(n), series(n))
    })
    .await?;
    let finest = ask(&stage, FLEET_QUESTIONS, |n| {
        format!("{}?series={}&{day}&points=5000", host(n), series(n))
    })
    .await?;
    let of_week = ask(&stage, FLEET_QUESTIONS, |_| {
        format!("/api/v1/fleet/history?series=cpu_used_percent&{week}&points=600")
    })
    .await?;
    let memory = stage.server.cost()?.resident_bytes as f64 / (1 << 20) as f64;
    stage.close().await;
    Ok(vec![
        Figure::at_most(
            "24 h of a host's series at 600 points, p95",
            of_day.p95,
            10.0,
            "ms",
        )
        .against(beside(&of_day, &floor)),
        Figure::number(
            "24 h of a host's series at 5,000 points (from its seconds), p95",
            finest.p95,
            "ms",
        )
        .against(format!("p50: {:.2} ms", finest.p50)),
        Figure::at_most(
            "7 d of 100 hosts' CPU at 600 points, p95",
            of_week.p95,
            150.0,
            "ms",
        )
        .against(beside(&of_week, &floor)),
        Figure::number("server memory (RSS) after all questions", memory, "MiB"),
    ])
}

/// Times of one question's answers, in milliseconds.
struct Times {
    p50: f64,
    p95: f64,
}

fn beside(times: &Times, floor: &Times) -> String {
    format!("p50: {:.2} ms; GET /healthz, p95: {:.2} ms", times.p50, floor.p95)
}

async fn ask(
    stage: &Stage,
    questions: usize,
    path: impl Fn(usize) -> String,
) -> Result<Times, ScenarioError> {
    let mut times = Vec::with_capacity(questions);
    for question in 0..WARM_UP + questions {
        let path = path(question);
        let started = Instant::now();
        let answer = stage.api.text(&path).await?;
        if question >= WARM_UP {
            times.push(started.elapsed().as_secs_f64() * 1e3);
        }
        if path.contains("history") && !answer.contains("[") {
            return Err(ScenarioError::Unmeasured {
                reason: format!("{path} has no values: {answer}"),
            });
        }
    }
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() as f64 * share).ceil() as usize).saturating_sub(1)];
    Ok(Times {
        p50: at(0.5),
        p95: at(0.95),
    })
}

async fn fill(store: &EmbeddedStore, account: &AccountId, now: i64) -> Result<(), ScenarioError> {
    for index in 0..HOSTS {
        store.put_host(record(account, index, now)).await?;
        let first = (now / 60_000 - WEEK_MINUTES) * 60_000;
        // The newest day of these hosts comes from their seconds.
        let minutes = if index < HOSTS_WITH_SECONDS {
            WEEK_MINUTES - 24 * 60 - 10
        } else {
            WEEK_MINUTES
        };
        let rollup = Rollup {
            steps: (0..minutes)
                .map(|minute| (first + minute * 60_000, minute_of(index, minute)))
                .collect(),
        };
        store
            .add_rollups(&host_id_of(index), Resolution::Minute, &rollup)
            .await?;
        store
            .add_rollups(
                &host_id_of(index),
                Resolution::Hour,
                &rollup.coarsened(Resolution::Hour),
            )
            .await?;
    }
    for index in 0..HOSTS_WITH_SECONDS {
        for start in (0..DAY_MS / 1_000).step_by(600) {
            let samples = (start..start + 600)
                .map(|second| simulated_sample(index, second as u64 + 1, now - DAY_MS + second * 1_000))
                .collect();
            store
                .append(&[SampleBatch {
                    account: account.clone(),
                    host: host_id_of(index),
                    epoch: "bench".to_owned(),
                    samples,
                    dropped: Vec::new(),
                }])
                .await?;
        }
    }
    store.maintain(now).await?;
    Ok(())
}

fn record(account: &AccountId, index: usize, now: i64) -> HostRecord {
    HostRecord {
        id: host_id_of(index),
        account: account.clone(),
        machine_identity: format!("{index:064x}"),
        epoch: "bench".to_owned(),
        given_name: Some(host_id(index)),
        own_labels: BTreeMap::new(),
        given_labels: BTreeMap::new(),
        facts: metric_flow_protocol::node::HostFacts::default(),
        created_unix_ms: now - 7 * DAY_MS,
        last_seen_unix_ms: now,
        cloned_identity: false,
    }
}

fn minute_of(index: usize, minute: i64) -> RollupStep {
    let middle = 40.0 + 30.0 * ((index as f64) * 0.37 + minute as f64 / 200.0).sin();
    let series = WEEK_SERIES.iter().enumerate().map(|(nth, name)| {
        let mean = (middle + nth as f64) * 10_f64.powi(nth as i32);
        let value = SeriesAggregate {
            min: mean * 0.8,
            max: mean * 1.3,
            sum: mean * 60.0,
            last: mean * 1.1,
            count: 60,
        };
        ((*name).to_owned(), value)
    });
    RollupStep {
        samples: 60,
        series: series.collect(),
    }
}

fn host_id(index: usize) -> String {
    format!("bench{index:03}")
}

fn host_id_of(index: usize) -> HostId {
    HostId(host_id(index))
}

fn now_unix_ms() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
