//! API keys: list, create, revoke, rotate.

use bytes::Bytes;
use http::StatusCode;
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::{Value, json};
use warp::{Reply, reply::Response};

use super::{ApiError, account_routes::no_content, call::Call};
use crate::{
    accounts::NewApiKey,
    store::{ApiKey, ApiKeyId},
};

#[derive(Deserialize)]
struct CreateKey {
    label: String,
    expires_in_days: Option<u32>,
}

pub(super) async fn list(call: Call) -> Result<Response, ApiError> {
    let keys = call.api.accounts.api_keys(&call.identity()?.account).await?;
    let keys: Vec<_> = keys.iter().map(view).collect();
    Ok(warp::reply::json(&json!({ "keys": keys })).into_response())
}

pub(super) async fn create(call: Call, body: Bytes) -> Result<Response, ApiError> {
    let account = call.identity()?.account;
    let CreateKey {
        label,
        expires_in_days,
    } = call.json(&body)?;
    let new = call
        .api
        .accounts
        .create_api_key(&account, &label, expires_in_days)
        .await?;
    Ok(shown_once(&new))
}

pub(super) async fn revoke(id: String, call: Call) -> Result<Response, ApiError> {
    let account = call.identity()?.account;
    call.api.accounts.revoke_api_key(&account, &ApiKeyId(id)).await?;
    Ok(no_content())
}

pub(super) async fn rotate(id: String, call: Call) -> Result<Response, ApiError> {
    let account = call.identity()?.account;
    let new = call.api.accounts.rotate_api_key(&account, &ApiKeyId(id)).await?;
    Ok(shown_once(&new))
}

fn shown_once(new: &NewApiKey) -> Response {
    let mut body = view(&new.record);
    body["key"] = Value::from(new.key.expose_secret());
    warp::reply::with_status(warp::reply::json(&body), StatusCode::CREATED).into_response()
}

fn view(key: &ApiKey) -> Value {
    json!({
        "id": key.id,
        "prefix": key.prefix,
        "label": key.label,
        "created_unix_ms": key.created_unix_ms,
        "expires_unix_ms": key.expires_unix_ms,
        "last_used_unix_ms": key.last_used_unix_ms,
    })
}
