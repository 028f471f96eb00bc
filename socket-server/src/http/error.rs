//! The one place where errors become answers: `{"error": {"code", "message", "hint"}}` with the right status.

use std::{convert::Infallible, time::Duration};

use http::{HeaderValue, StatusCode, header};
use serde_json::json;
use warp::{Rejection, Reply, reply::Response};

use crate::{
    accounts::AccountsError, fleet::AskError, history::HistoryError, socket::UpgradeError, store::StoreError,
};

/// An error as the API tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
    hint: String,
    retry_after: Option<Duration>,
}

impl warp::reject::Reject for ApiError {}

impl ApiError {
    pub(super) fn new(
        status: StatusCode,
        code: &'static str,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            hint: hint.into(),
            retry_after: None,
        }
    }

    pub(super) fn bad_request(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", message, hint)
    }

    pub(super) fn not_found(what: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            format!("there is no such {what}"),
            "look at the list again",
        )
    }

    pub(super) fn never_asked() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "never_asked",
            "the host was never asked that",
            "ask it while it is connected",
        )
    }

    pub(super) fn unauthenticated() -> Self {
        AccountsError::Unauthenticated.into()
    }

    /// Not 401: the access token is good, and the page must not take this for the end of its log-in.
    pub(super) fn wrong_password() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "wrong_password",
            "the present password is wrong",
            "type it again",
        )
    }

    pub(super) fn wrong_origin(message: impl Into<String>) -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "wrong_origin",
            message,
            "send the dashboard's own address as Origin; behind a proxy, start the server with --public-origin",
        )
    }

    pub(super) fn body_too_large(limit: usize) -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
            format!("the body is larger than {limit} bytes"),
            "send less",
        )
    }

    pub(super) fn body_too_slow(deadline: Duration) -> Self {
        Self::new(
            StatusCode::REQUEST_TIMEOUT,
            "body_too_slow",
            format!("the body did not come within {} seconds", deadline.as_secs()),
            "send it at once",
        )
    }

    /// Someone behind a trusted proxy has as many connections as one address may have.
    pub fn too_many_connections() -> Self {
        Self {
            retry_after: Some(Duration::from_secs(5)),
            ..Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too_many_connections",
                "too many connections are open from your address",
                "close some; the server's owner can raise --connections-per-address-max",
            )
        }
    }

    pub(super) fn not_json() -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "not_json",
            "the body is not JSON",
            "send JSON with the header `Content-Type: application/json`",
        )
    }
}

impl Reply for ApiError {
    fn into_response(self) -> Response {
        let body = json!({ "error": { "code": self.code, "message": self.message, "hint": self.hint } });
        let mut response = warp::reply::with_status(warp::reply::json(&body), self.status).into_response();
        let headers = response.headers_mut();
        if let Some(wait) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if self.status == StatusCode::UPGRADE_REQUIRED {
            headers.insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        }
        response
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound { what } => Self::not_found(what),
            StoreError::Conflict { .. } => Self::new(
                StatusCode::CONFLICT,
                "conflict",
                error.to_string(),
                "choose another",
            ),
            StoreError::Unavailable { .. } | StoreError::Refused { .. } => {
                tracing::error!(%error, "a request failed");
                let message = "the server cannot reach its store";
                let mut told = Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "store_unavailable",
                    message,
                    "try again soon",
                );
                told.retry_after = Some(Duration::from_secs(5));
                told
            }
            StoreError::Unfit { .. } | StoreError::Damaged { .. } => internal(&error),
        }
    }
}

fn internal(error: &dyn std::error::Error) -> ApiError {
    tracing::error!(%error, "a request failed");
    ApiError::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "internal",
        "the server failed to answer",
        "its log says why",
    )
}

impl From<AccountsError> for ApiError {
    fn from(error: AccountsError) -> Self {
        let message = error.to_string();
        let make = |status, code, hint: &str| Self::new(status, code, message.clone(), hint);
        match error {
            AccountsError::BadName => make(StatusCode::BAD_REQUEST, "bad_name", "choose another name"),
            AccountsError::BadPassword(_) => {
                make(StatusCode::BAD_REQUEST, "bad_password", "choose another password")
            }
            AccountsError::BadLabel => make(StatusCode::BAD_REQUEST, "bad_label", "choose another label"),
            AccountsError::BadExpiry => make(
                StatusCode::BAD_REQUEST,
                "bad_expiry",
                "choose another number of days",
            ),
            AccountsError::WrongCredentials => make(
                StatusCode::UNAUTHORIZED,
                "wrong_credentials",
                "check both and try again",
            ),
            AccountsError::TooManyAttempts { retry_after } => {
                let hint = format!("try again in {} seconds", retry_after.as_secs().max(1));
                let told = make(StatusCode::TOO_MANY_REQUESTS, "too_many_attempts", &hint);
                Self {
                    retry_after: Some(retry_after),
                    ..told
                }
            }
            AccountsError::Busy => {
                let told = make(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "busy",
                    "try again in a few seconds",
                );
                Self {
                    retry_after: Some(Duration::from_secs(3)),
                    ..told
                }
            }
            AccountsError::Unauthenticated => {
                make(StatusCode::UNAUTHORIZED, "unauthenticated", "log in again")
            }
            AccountsError::SessionEnded => make(StatusCode::UNAUTHORIZED, "session_ended", "log in again"),
            AccountsError::SetupClosed => make(
                StatusCode::FORBIDDEN,
                "setup_closed",
                "take the link that the server printed at its last start, or log in",
            ),
            AccountsError::RegistrationClosed => make(
                StatusCode::FORBIDDEN,
                "registration_closed",
                "ask the server's owner, who can start it with --registration open",
            ),
            AccountsError::NameTaken => make(StatusCode::CONFLICT, "name_taken", "choose another name"),
            AccountsError::BadApiKey(_) => make(
                StatusCode::UNAUTHORIZED,
                "bad_api_key",
                "create a key on the dashboard's Keys page",
            ),
            AccountsError::TooManyKeys => make(
                StatusCode::CONFLICT,
                "too_many_keys",
                "revoke keys that are not used",
            ),
            AccountsError::Store(error) => error.into(),
            AccountsError::Internal(_) => internal(&error),
        }
    }
}

impl From<AskError> for ApiError {
    fn from(error: AskError) -> Self {
        let (status, code, hint) = match error {
            AskError::NoQuestion => {
                let hint = "ask for processes, disks, os, network or containers";
                return Self::bad_request(error.to_string(), hint);
            }
            AskError::NoHost => return Self::not_found("host"),
            AskError::Store(error) => return error.into(),
            AskError::Offline => (
                StatusCode::NOT_FOUND,
                "host_offline",
                "start its node-client, or wait until it is connected again",
            ),
            AskError::Busy => (
                StatusCode::TOO_MANY_REQUESTS,
                "host_busy",
                "wait for the answers to the other questions",
            ),
            AskError::NoAnswer => (
                StatusCode::GATEWAY_TIMEOUT,
                "no_answer",
                "ask again; the host may be overloaded, or its client may not know questions",
            ),
            AskError::Refused(_) => (
                StatusCode::BAD_GATEWAY,
                "unavailable",
                "the message says why; see the node-client's log",
            ),
        };
        let retry_after = matches!(error, AskError::Busy).then_some(Duration::from_secs(2));
        Self {
            retry_after,
            ..Self::new(status, code, error.to_string(), hint)
        }
    }
}

impl From<HistoryError> for ApiError {
    fn from(error: HistoryError) -> Self {
        let (code, hint) = match error {
            HistoryError::Store(error) => return error.into(),
            HistoryError::EmptyRange { .. } => ("empty_range", "ask for a range with from before to"),
            HistoryError::Points { .. } => ("bad_points", "ask for fewer points"),
            HistoryError::SeriesCount { .. } => ("bad_series_count", "give series=NAME,NAME"),
            HistoryError::UnknownSeries { .. } => (
                "unknown_series",
                "GET /api/v1/hosts/{id}/series lists those that there are",
            ),
        };
        Self::new(StatusCode::BAD_REQUEST, code, error.to_string(), hint)
    }
}

impl From<UpgradeError> for ApiError {
    fn from(error: UpgradeError) -> Self {
        let (status, code) = match error {
            UpgradeError::WrongVersion => (StatusCode::UPGRADE_REQUIRED, "wrong_websocket_version"),
            UpgradeError::UnknownSubprotocol { .. } => (StatusCode::BAD_REQUEST, "unknown_subprotocol"),
            UpgradeError::NotAHandshake(_) | UpgradeError::BadKey => {
                (StatusCode::BAD_REQUEST, "not_a_websocket_handshake")
            }
        };
        Self::new(
            status,
            code,
            error.to_string(),
            "docs/protocol.md says how to connect",
        )
    }
}

/// Turns what no route took into an answer.
pub(super) async fn rejected(rejection: Rejection) -> Result<Response, Infallible> {
    let error = if let Some(error) = rejection.find::<ApiError>() {
        error.clone()
    } else if rejection.is_not_found() {
        ApiError::not_found("page or API call")
    } else if rejection.find::<warp::reject::MethodNotAllowed>().is_some() {
        ApiError::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "this address does not take that method",
            "docs/protocol.md lists the API's calls",
        )
    } else {
        ApiError::bad_request(
            "the request was not understood",
            "docs/protocol.md lists the API's calls",
        )
    };
    Ok(error.into_response())
}
