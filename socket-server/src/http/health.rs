//! Whether the server lives, whether it can serve, and what it counts.

use http::{HeaderValue, StatusCode, header};
use serde_json::json;
use warp::{Reply, reply::Response};

use super::{ApiError, call::Call};

/// Content type of OpenMetrics, which Prometheus asks for.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The process runs and answers.
pub(super) async fn live(_call: Call) -> Result<Response, ApiError> {
    Ok(warp::reply::json(&json!({ "status": "ok" })).into_response())
}

/// Each part says its state; one that is not ready makes the whole not ready.
pub(super) async fn ready(call: Call) -> Result<Response, ApiError> {
    let mut parts = serde_json::Map::new();
    let store = call.api.store.check().await.map_err(|error| error.to_string());
    let writer = call.api.fleet.store_health().trouble().map_or(Ok(()), Err);
    let accepting = if call.api.sockets.has_begun() {
        Err("the server is ending".to_owned())
    } else {
        Ok(())
    };
    let mut is_ready = true;
    for (name, state) in [("store", store), ("writer", writer), ("accepting", accepting)] {
        is_ready &= state.is_ok();
        let state = state.map_or_else(
            |reason| json!({ "ready": false, "reason": reason }),
            |()| json!({ "ready": true }),
        );
        parts.insert(name.to_owned(), state);
    }
    let status = if is_ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let body = json!({ "ready": is_ready, "parts": parts });
    Ok(warp::reply::with_status(warp::reply::json(&body), status).into_response())
}

pub(super) async fn metrics(call: Call) -> Result<Response, ApiError> {
    let store_ready = call.api.fleet.store_health().trouble().is_none();
    let mut response = call
        .api
        .telemetry
        .exposition(call.api.fleet.counts(), store_ready)
        .into_response();
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(OPEN_METRICS));
    Ok(response)
}
