//! Hosts: list, rename, label, delete, ask.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;
use warp::{Reply, reply::Response};

use super::{ApiError, account_routes::no_content, call::Call};
use crate::{
    fleet::HostChange,
    store::{AnswerRecord, HostId},
};

/// Longest name or label.
const TEXT_CHARS_MAX: usize = 100;
/// Labels given by people.
const LABELS_MAX: usize = 64;

#[derive(Deserialize)]
struct ChangeHost {
    name: Option<String>,
    labels: Option<BTreeMap<String, String>>,
}

pub(super) async fn list(call: Call) -> Result<Response, ApiError> {
    let hosts = call.api.fleet.hosts(&call.identity()?.account);
    Ok(warp::reply::json(&json!({ "hosts": hosts })).into_response())
}

pub(super) async fn change(id: String, call: Call, body: Bytes) -> Result<Response, ApiError> {
    let account = call.identity()?.account;
    let ChangeHost { name, labels } = call.json(&body)?;
    let name = name.map(|name| name.trim().to_owned());
    let unfit = |text: &String| text.chars().count() > TEXT_CHARS_MAX || text.chars().any(char::is_control);
    let bad_label = labels.as_ref().is_some_and(|labels| {
        labels.len() > LABELS_MAX
            || labels
                .iter()
                .any(|(name, value)| name.is_empty() || unfit(name) || unfit(value))
    });
    if bad_label || name.as_ref().is_some_and(unfit) {
        return Err(ApiError::bad_request(
            "a name or label has at most 100 characters and no control characters, and there are at most 64 labels",
            "choose shorter ones",
        ));
    }
    let host = call
        .api
        .fleet
        .change_host(&account, &HostId(id), HostChange { name, labels })
        .await?;
    Ok(warp::reply::json(&host).into_response())
}

pub(super) async fn delete(id: String, call: Call) -> Result<Response, ApiError> {
    let account = call.identity()?.account;
    call.api.fleet.delete_host(&account, &HostId(id)).await?;
    Ok(no_content())
}

/// A question to the host itself: processes, disks, os, network or containers.
pub(super) async fn ask(id: String, question: String, call: Call) -> Result<Response, ApiError> {
    let account = call.identity()?.account;
    let answer = call.api.fleet.ask(&account, &HostId(id), &question).await?;
    Ok(warp::reply::json(&answer).into_response())
}

/// What the host answered last, also while it is away.
pub(super) async fn last_answer(id: String, question: String, call: Call) -> Result<Response, ApiError> {
    let account = call.identity()?.account;
    let found = call
        .api
        .fleet
        .last_answer(&account, &HostId(id), &question)
        .await?;
    let AnswerRecord {
        kind,
        time_unix_ms,
        body,
        ..
    } = found.ok_or_else(ApiError::never_asked)?;
    let told = json!({ "question": kind, "answered_unix_ms": time_unix_ms, "answer": body });
    Ok(warp::reply::json(&told).into_response())
}
