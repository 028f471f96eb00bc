//! The server's wall clock.

pub(crate) use metric_flow_lifecycle::now_unix_ms;
