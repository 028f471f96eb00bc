//! What rollouts did: told by the deployer, asked for by charts.

use bytes::Bytes;
use metric_flow_protocol::deploy::{DeployEvent, DeployEvents};
use warp::{Reply, reply::Response};

use super::{
    ApiError,
    account_routes::no_content,
    call::Call,
    history_routes::{Parameters, window},
};
use crate::store::DeployRecord;

/// Longest text of an event, in characters: a line of a chart's hint.
const TEXT_CHARS_MAX: usize = 200;
/// Most events of one answer, the newest: a chart cannot show more marks.
const EVENTS_MAX: usize = 1_000;
/// The window when nobody says which.
const WINDOW_DEFAULT_MS: i64 = 24 * 60 * 60 * 1_000;

pub(super) async fn tell(call: Call, body: Bytes) -> Result<Response, ApiError> {
    let account = call.identity()?.account;
    let event: DeployEvent = call.json(&body)?;
    check(&event)?;
    call.api
        .store
        .put_deploy_event(DeployRecord { account, event })
        .await?;
    Ok(no_content())
}

pub(super) async fn list(call: Call, given: Parameters) -> Result<Response, ApiError> {
    let account = call.identity()?.account;
    let (from, to) = window(&given, WINDOW_DEFAULT_MS)?;
    let found = call
        .api
        .store
        .deploy_events(&account, from, to, EVENTS_MAX)
        .await?;
    let events = found.into_iter().map(|record| record.event).collect();
    Ok(warp::reply::json(&DeployEvents { events }).into_response())
}

fn check(event: &DeployEvent) -> Result<(), ApiError> {
    let texts = [
        ("release_id", Some(&event.release_id), true),
        ("project", Some(&event.project), true),
        ("who", Some(&event.who), false),
        ("host", event.host.as_ref(), true),
        ("what", Some(&event.what), true),
    ];
    for (name, text, needed) in texts {
        let Some(text) = text else { continue };
        if (needed && text.is_empty())
            || text.chars().count() > TEXT_CHARS_MAX
            || text.chars().any(char::is_control)
        {
            return Err(ApiError::bad_request(
                format!("`{name}` has 1 to {TEXT_CHARS_MAX} characters and no control characters"),
                "docs/protocol.md says what an event has",
            ));
        }
    }
    if event.started_unix_ms <= 0
        || event
            .finished_unix_ms
            .is_some_and(|finished| finished < event.started_unix_ms)
    {
        return Err(ApiError::bad_request(
            "an event starts after 1970, and ends after its start",
            "give milliseconds since 1970",
        ));
    }
    Ok(())
}
