//! Logs go to standard error, as lines for people or as JSON for machines.

use std::io::IsTerminal as _;

use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _};

/// What is logged when nobody says otherwise: our own news, and only trouble from libraries.
const DEFAULT_FILTER: &str = "warn,socket_server=info,node_client=info,metric_flow_lifecycle=info";

/// How a log line looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// A line for people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Whether a text is a filter as [`init_logging`] takes it.
pub fn is_log_filter(text: &str) -> bool {
    EnvFilter::try_new(text).is_ok()
}

/// Starts logging to standard error, in colour where that is a terminal. `filter` has the syntax of `RUST_LOG`; one
/// that cannot be read, or none, means [`DEFAULT_FILTER`]. A second call changes nothing.
pub fn init_logging(filter: Option<&str>, format: LogFormat) {
    let wanted = filter.map(EnvFilter::try_new);
    let unread = matches!(wanted, Some(Err(_)));
    let filter = wanted
        .and_then(Result::ok)
        .unwrap_or_else(|| EnvFilter::new(DEFAULT_FILTER));
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let registry = tracing_subscriber::registry().with(filter);
    let started = match format {
        LogFormat::Text => registry
            .with(
                fmt::layer()
                    .with_ansi(std::io::stderr().is_terminal() && !no_color)
                    .with_writer(std::io::stderr),
            )
            .try_init(),
        LogFormat::Json => registry
            .with(fmt::layer().json().with_writer(std::io::stderr))
            .try_init(),
    };
    if started.is_err() {
        tracing::debug!("logging was started before");
    }
    if unread {
        tracing::warn!("the log filter cannot be read: logging as usual");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_those_of_rust_log() {
        for good in [
            "debug",
            "warn,socket_server=debug",
            "",
            "socket_server::fleet=trace,info",
        ] {
            assert!(is_log_filter(good), "{good}");
        }
        for bad in ["[[[", "socket_server=loud", "a=b=c"] {
            assert!(!is_log_filter(bad), "{bad}");
        }
    }
}
