//! Set up, register, log in and out, change the password.

use bytes::Bytes;
use http::header;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::json;
use warp::{Reply, reply::Response};

use super::{ApiError, call::Call, cookie};
use crate::accounts::{AccountsError, LoggedIn};

#[derive(Deserialize)]
struct Credentials {
    name: String,
    password: SecretString,
}

#[derive(Deserialize)]
struct SetUp {
    token: String,
    name: String,
    password: SecretString,
}

#[derive(Deserialize)]
struct ChangePassword {
    current_password: SecretString,
    new_password: SecretString,
}

pub(super) async fn status(call: Call) -> Result<Response, ApiError> {
    let body = json!({
        "setup_required": call.api.accounts.setup_required().await?,
        "registration_open": call.api.accounts.registration_open(),
        "version": env!("CARGO_PKG_VERSION"),
    });
    Ok(warp::reply::json(&body).into_response())
}

pub(super) async fn set_up(call: Call, body: Bytes) -> Result<Response, ApiError> {
    let SetUp {
        token,
        name,
        password,
    } = call.json(&body)?;
    let logged_in = call.api.accounts.set_up(&token, &name, password).await?;
    Ok(logged_in_answer(&call, &logged_in))
}

pub(super) async fn register(call: Call, body: Bytes) -> Result<Response, ApiError> {
    let Credentials { name, password } = call.json(&body)?;
    let logged_in = call.api.accounts.register(&name, password).await?;
    Ok(logged_in_answer(&call, &logged_in))
}

pub(super) async fn log_in(call: Call, body: Bytes) -> Result<Response, ApiError> {
    let Credentials { name, password } = call.json(&body)?;
    match call.api.accounts.log_in(&name, password, call.address()).await {
        Ok(logged_in) => Ok(logged_in_answer(&call, &logged_in)),
        Err(error) => {
            if matches!(
                error,
                AccountsError::WrongCredentials | AccountsError::TooManyAttempts { .. }
            ) {
                call.api.telemetry.logins_failed.inc();
                tracing::info!(address = %call.address(), %error, "a log-in failed");
            }
            Err(error.into())
        }
    }
}

pub(super) async fn refresh(call: Call) -> Result<Response, ApiError> {
    call.check_origin()?;
    let token = cookie::refresh_token(&call.headers).ok_or(AccountsError::SessionEnded)?;
    let logged_in = call.api.accounts.refresh(token).await?;
    Ok(logged_in_answer(&call, &logged_in))
}

pub(super) async fn log_out(call: Call) -> Result<Response, ApiError> {
    call.check_origin()?;
    if let Some(token) = cookie::refresh_token(&call.headers) {
        call.api.accounts.log_out(token).await?;
    }
    let mut response = no_content();
    if let Some(cookie) = cookie::clear(call.is_secure()) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

pub(super) async fn account(call: Call) -> Result<Response, ApiError> {
    let account = call.api.accounts.account(&call.identity()?).await?;
    let body = json!({
        "id": account.id,
        "name": account.name,
        "created_unix_ms": account.created_unix_ms,
    });
    Ok(warp::reply::json(&body).into_response())
}

pub(super) async fn change_password(call: Call, body: Bytes) -> Result<Response, ApiError> {
    let identity = call.identity()?;
    let ChangePassword {
        current_password,
        new_password,
    } = call.json(&body)?;
    let changed = call
        .api
        .accounts
        .change_password(&identity, current_password, new_password, call.address())
        .await;
    let logged_in = changed.map_err(|error| match error {
        AccountsError::WrongCredentials => ApiError::wrong_password(),
        other => other.into(),
    })?;
    Ok(logged_in_answer(&call, &logged_in))
}

pub(super) fn no_content() -> Response {
    warp::reply::with_status("", http::StatusCode::NO_CONTENT).into_response()
}

fn logged_in_answer(call: &Call, logged_in: &LoggedIn) -> Response {
    let body = json!({
        "access_token": logged_in.access_token.expose_secret(),
        "expires_in_seconds": logged_in.access_token_life.as_secs(),
        "account": { "id": logged_in.account, "name": logged_in.name },
    });
    let mut response = warp::reply::json(&body).into_response();
    if let Some(cookie) = cookie::set(logged_in, call.is_secure()) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}
