//! Single values, from text to what they mean. Pure.

use std::{path::PathBuf, str::FromStr, time::Duration};

use super::StoreLocation;

/// Longest time that anything is kept: a hundred years.
const DAYS_MAX: u64 = 36_500;

/// A number above zero.
pub(super) fn positive<T: FromStr + Default + PartialOrd>(text: &str) -> Option<T> {
    text.parse().ok().filter(|number| *number > T::default())
}

pub(super) fn store_location(text: &str) -> Option<StoreLocation> {
    if text == "memory" {
        return Some(StoreLocation::Memory);
    }
    if text.starts_with("mongodb://") || text.starts_with("mongodb+srv://") {
        return Some(StoreLocation::MongoDb(text.to_owned().into()));
    }
    let folder = text
        .strip_prefix("embedded:")
        .filter(|folder| !folder.is_empty())?;
    Some(StoreLocation::Embedded(PathBuf::from(folder)))
}

/// An origin in the form in which browsers send it: scheme, host and a port that is not the scheme's own.
pub(super) fn origin(text: &str) -> Option<String> {
    let uri: http::Uri = text.trim_end_matches('/').parse().ok()?;
    let (scheme, authority) = (uri.scheme_str()?, uri.authority()?);
    let own_port = match scheme {
        "http" => 80,
        "https" => 443,
        _ => return None,
    };
    if uri.path() != "/" || uri.query().is_some() || authority.as_str().contains('@') {
        return None;
    }
    let host = authority.host().to_ascii_lowercase();
    match authority.port_u16() {
        Some(port) if port != own_port => Some(format!("{scheme}://{host}:{port}")),
        _ => Some(format!("{scheme}://{host}")),
    }
}

/// A number of days.
pub(super) fn days(text: &str) -> Option<Duration> {
    let days: u64 = positive(text).filter(|days| *days <= DAYS_MAX)?;
    Some(Duration::from_secs(days * 86_400))
}

/// A number of megabytes, in bytes.
pub(super) fn megabytes(text: &str) -> Option<u64> {
    positive::<u64>(text)?.checked_mul(1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_take_the_form_that_browsers_send() {
        assert_eq!(
            origin("https://Metrics.Example:443/").as_deref(),
            Some("https://metrics.example")
        );
        assert_eq!(
            origin("http://10.0.0.1:8000").as_deref(),
            Some("http://10.0.0.1:8000")
        );
        for bad in ["metrics.example", "ftp://x", "https://x/path", "https://u@x"] {
            assert_eq!(origin(bad), None, "{bad}");
        }
    }
}
