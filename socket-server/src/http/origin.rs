//! Whether a request comes from the dashboard itself, by its Origin.

use http::{HeaderMap, header};

use super::{ApiError, call::Call};

impl Call {
    /// Accepts a request whose Origin is exactly one of the dashboard's.
    ///
    /// # Errors
    /// When the header is missing or another page's.
    pub(super) fn check_origin(&self) -> Result<(), ApiError> {
        let Some(origin) = self
            .headers
            .get(header::ORIGIN)
            .and_then(|value| value.to_str().ok())
        else {
            return Err(ApiError::wrong_origin("the request has no Origin header"));
        };
        let allowed = &self.api.config.public_origins;
        let fits = if allowed.is_empty() {
            own_origin(&self.headers, self.peer.secure).is_some_and(|own| own == origin)
        } else {
            allowed.iter().any(|allowed| allowed == origin)
        };
        if fits {
            Ok(())
        } else {
            Err(ApiError::wrong_origin(format!(
                "the request comes from another page: {origin}"
            )))
        }
    }

    /// Whether the browser reaches the dashboard by TLS, here or at a proxy that says so or that must be there.
    pub(super) fn is_secure(&self) -> bool {
        let origins = &self.api.config.public_origins;
        self.peer.secure
            || (!origins.is_empty() && origins.iter().all(|origin| origin.starts_with("https://")))
    }
}

/// The origin of the address that the browser asked for.
fn own_origin(headers: &HeaderMap, secure: bool) -> Option<String> {
    let host = headers.get(header::HOST)?.to_str().ok()?.to_ascii_lowercase();
    let (scheme, own_port) = if secure {
        ("https", ":443")
    } else {
        ("http", ":80")
    };
    Some(format!(
        "{scheme}://{}",
        host.strip_suffix(own_port).unwrap_or(&host)
    ))
}
