//! The refresh token's cookie: out of reach of scripts, sent to the session's calls only, never across sites.

use http::{HeaderMap, HeaderValue, header};
use secrecy::ExposeSecret as _;

use crate::accounts::LoggedIn;

const NAME: &str = "metric_flow_refresh";

/// The cookie that keeps a log-in.
pub(super) fn set(logged_in: &LoggedIn, secure: bool) -> Option<HeaderValue> {
    let token = logged_in.refresh_token.expose_secret();
    text(token, logged_in.session_life.as_secs(), secure)
}

/// The cookie that removes the one before.
pub(super) fn clear(secure: bool) -> Option<HeaderValue> {
    text("", 0, secure)
}

fn text(token: &str, max_age_seconds: u64, secure: bool) -> Option<HeaderValue> {
    let secure = if secure { "; Secure" } else { "" };
    let cookie = format!(
        "{NAME}={token}; Path=/api/v1/session; Max-Age={max_age_seconds}; HttpOnly; SameSite=Strict{secure}"
    );
    let mut value = HeaderValue::from_str(&cookie).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// The refresh token of a request.
pub(super) fn refresh_token(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == NAME)
        .map(|(_, token)| token)
        .filter(|token| !token.is_empty())
}
