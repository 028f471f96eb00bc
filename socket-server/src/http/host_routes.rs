//! Hosts: list, rename, label, delete, ask.

use std::collections::BTreeMap;

use bytes::Bytes;
use metric_flow_protocol::node::Question;
use serde::Deserialize;
use serde_json::json;
use warp::{Reply, reply::Response};

use super::{ApiError, account_routes::no_content, call::Call};
use crate::{
    fleet::{AskError, HostChange},
    store::HostId,
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
    let question = match question.as_str() {
        "processes" => Question::Processes,
        "disks" => Question::Disks,
        "os" => Question::Os,
        "network" => Question::Network,
        "containers" => Question::Containers,
        _ => {
            return Err(ApiError::bad_request(
                "a host is not asked that",
                "ask for processes, disks, os, network or containers",
            ));
        }
    };
    let answer = call.api.fleet.ask(&account, &HostId(id), question).await?;
    // Whatever the host says, what leaves here is JSON.
    let document: serde_json::Value =
        serde_json::from_str(&answer).map_err(|_| AskError::Refused("its answer is no JSON".to_owned()))?;
    Ok(warp::reply::json(&document).into_response())
}
