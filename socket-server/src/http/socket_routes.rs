//! The way to the sockets: who may open one, then the upgrade.

use std::sync::Arc;

use hyper::upgrade::OnUpgrade;
use metric_flow_protocol::version::{
    LIVE_SUBPROTOCOL, NODE_JSON_SUBPROTOCOL, NODE_SUBPROTOCOL, NodeEncoding,
};
use serde_json::json;
use warp::{Reply, reply::Response};

use super::{ApiError, call::Call};
use crate::{
    accounts::AccountsError,
    socket::{NodeStart, UpgradeError, accept_upgrade, run_node_session, run_viewer_session},
};

pub(super) async fn ticket(call: Call) -> Result<Response, ApiError> {
    let grant = call.api.accounts.issue_ticket(call.identity()?);
    let body = json!({ "ticket": grant.ticket, "expires_in_seconds": grant.life.as_secs() });
    Ok(warp::reply::json(&body).into_response())
}

/// A host's socket: by API key in the Authorization header.
pub(super) async fn node(call: Call, on_upgrade: Option<OnUpgrade>) -> Result<Response, ApiError> {
    let key = call
        .bearer()
        .ok_or(AccountsError::BadApiKey("the request has no API key"))?;
    let key = call.api.accounts.check_api_key(key).await?;
    let (response, agreed) = accept_upgrade(
        &call.headers,
        call.peer.is_http_11,
        &[NODE_SUBPROTOCOL, NODE_JSON_SUBPROTOCOL],
    )?;
    let (Some(on_upgrade), Some(encoding)) = (on_upgrade, NodeEncoding::from_subprotocol(agreed)) else {
        return Err(UpgradeError::NotAHandshake("the connection cannot be upgraded").into());
    };
    let api = &call.api;
    api.sockets.spawn(run_node_session(Box::new(NodeStart {
        fleet: Arc::clone(&api.fleet),
        telemetry: Arc::clone(&api.telemetry),
        on_upgrade,
        encoding,
        key,
        permit: call.peer.permit,
    })));
    Ok(response)
}

/// A viewer's socket: from the dashboard's own page, by a ticket that is good once.
pub(super) async fn live(
    call: Call,
    query: String,
    on_upgrade: Option<OnUpgrade>,
) -> Result<Response, ApiError> {
    call.check_origin()?;
    let (response, _) = accept_upgrade(&call.headers, call.peer.is_http_11, &[LIVE_SUBPROTOCOL])?;
    let Some(on_upgrade) = on_upgrade else {
        return Err(UpgradeError::NotAHandshake("the connection cannot be upgraded").into());
    };
    let ticket = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("ticket="))
        .unwrap_or_default();
    let identity = call
        .api
        .accounts
        .take_ticket(ticket)
        .ok_or_else(ApiError::unauthenticated)?;
    let api = &call.api;
    api.sockets.spawn(run_viewer_session(
        Arc::clone(&api.fleet),
        Arc::clone(&api.telemetry),
        on_upgrade,
        identity,
        call.peer.permit,
    ));
    Ok(response)
}
